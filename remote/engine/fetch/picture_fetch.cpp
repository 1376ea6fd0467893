// The readers' side of a picture.
#include "remote/engine/fetch/picture_fetch.hpp"

#include <algorithm>

#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote {

picture_fetch::picture_fetch(dependencies d, const entry& e, std::uint64_t begun_at, std::string path, bool demanded)
    : dependencies_(std::move(d)),
      row_(e),
      begun_at_(begun_at),
      path_(std::move(path)),
      demanded_(demanded),
      size_(e.source->size),
      writer_(dependencies_.where, row_),
      plan_(e.source->size),
      reserved_(e.source->size) {
  dependencies_.reserved += e.source->size;
}

picture_fetch::~picture_fetch() = default;

void picture_fetch::release(std::uint64_t bytes) {
  const std::uint64_t released = std::min(reserved_, bytes);
  reserved_ -= released;
  dependencies_.reserved -= released;
}

void picture_fetch::release_reserved() {
  const lock held{mutex_};
  release(reserved_);
}

// All that the reader waits for and that the picture has.
bool picture_fetch::is_there(const pending_read& r) const {
  const std::uint64_t end = plan_.known_end();
  return plan_.is_written(std::min(r.from, end), std::min(r.to, end));
}

void picture_fetch::wait_for(std::uint64_t offset, std::uint64_t length, std::uint64_t id, read_callback w) {
  std::optional<read_result> now;
  {
    const lock held{mutex_};
    const std::uint64_t from = std::min(offset, plan_.known_end());
    const std::uint64_t to = std::min(from + std::min(length, UINT64_MAX - from), plan_.known_end());
    demanded_ = true;
    now = last_answer_;
    if (!*rejected_ && plan_.is_written(from, to))
      if (auto file = readable()) now = hand_out(std::move(file));
    if (!now) {
      // Requested or not: reading goes on behind it.
      prefer_ = from;
      readers_.push_back({from, to, id, std::move(w)});
      return;
    }
  }
  w(*now);
}

partial_read picture_fetch::hand_out(std::shared_ptr<const unique_fd> file) {
  handed_out_ = true;
  return {std::move(file), plan_.is_whole(), size(), rejected_};
}

bool picture_fetch::handed_out() {
  const lock held{mutex_};
  return handed_out_;
}

bool picture_fetch::reject() {
  const lock held{mutex_};
  *rejected_ = true;
  return handed_out_;
}

// A background picture's file is closed from its completion until it is committed.
std::shared_ptr<const unique_fd> picture_fetch::readable() {
  if (!file_)
    if (auto fd = dependencies_.where.open_partial(row_.ino)) file_ = std::make_shared<unique_fd>(std::move(fd));
  return file_;
}

bool picture_fetch::cancel(std::uint64_t id) {
  const lock held{mutex_};
  return std::erase_if(readers_, [&](const pending_read& r) { return r.id == id; }) > 0;
}

void picture_fetch::answer_all(const read_result& o) {
  std::vector<pending_read> all;
  {
    const lock held{mutex_};
    all.swap(readers_);
    last_answer_ = o;
  }
  for (const auto& r : all) call(r, o);
}

void picture_fetch::answer_readers() {
  std::vector<pending_read> served;
  partial_read ready;
  {
    const lock held{mutex_};
    if (!file_ || *rejected_) return;
    const auto still = std::stable_partition(readers_.begin(), readers_.end(),
                                             [&](const pending_read& r) REQUIRES(mutex_) { return !is_there(r); });
    served.assign(std::make_move_iterator(still), std::make_move_iterator(readers_.end()));
    readers_.erase(still, readers_.end());
    if (!served.empty()) ready = hand_out(file_);
  }
  for (const auto& r : served) call(r, ready);
}

void picture_fetch::call(const pending_read& one, const read_result& o) noexcept {
  contain("answer to a read", [&] { one.call(o); });
}

bool picture_fetch::is_awaited() {
  const lock held{mutex_};
  return !readers_.empty();
}

void picture_fetch::give_up(const failure& why) {
  broken_ = true;
  {
    const lock held{mutex_};
    write_failure_ = why;
  }
  answer_all(why);
}

}  // namespace ferryfs::remote
