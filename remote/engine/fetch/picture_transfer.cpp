// The side of a picture that the archive and the write pool call.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/mutex.hpp"
#include "index/base/path.hpp"
#include "remote/engine/fetch/picture_fetch.hpp"

namespace ferryfs::remote {
namespace {

std::string size_text(const std::optional<std::uint64_t>& size) { return size ? std::to_string(*size) : "none"; }

}  // namespace

reading::next picture_fetch::next_range(std::uint32_t at_most) {
  const lock held{mutex_};
  if (broken_) return {next_step::done, {}};
  const auto step = plan_.next(at_most, prefer_);
  if (step.what != next_step::more) return {step.what, {}};
  if (step.bytes > 0) {
    if (!demanded_ && !dependencies_.limit.take(step.bytes)) return {next_step::throttled, {}};
    if (!begun_.exchange(true)) last_activity_ = steady_now();
  }
  plan_.request(step);
  return {next_step::more, step.part};
}

// Readers that wait for bytes behind the end are answered when those before it are written.
bool picture_fetch::ends(std::uint64_t offset) {
  {
    const lock held{mutex_};
    plan_.end_at(offset);
  }
  dependencies_.writers.post(row_.ino, 0, [self = shared_from_this()] {
    if (const auto thrown = contain("end of a picture", [&] { self->answer_readers(); }))
      self->give_up(failure_of(thrown, printable(self->path_)));
  });
  return true;
}

void picture_fetch::arrived(std::uint64_t offset, std::span<const std::byte> bytes) {
  last_activity_ = steady_now();
  dependencies_.last_activity = last_activity_.load();
  {
    const lock held{mutex_};
    plan_.came(offset, bytes.size());
  }
  dependencies_.writers.post(
      row_.ino, bytes.size(),
      [self = shared_from_this(), offset, copy = std::vector<std::byte>(bytes.begin(), bytes.end())] {
        if (const auto thrown = contain("writing a picture", [&] { self->write(offset, copy); }))
          self->give_up(failure_of(thrown, printable(self->path_)));
      });
}

failure picture_fetch::disk_failure(int problem) const {
  const bool no_room = problem == ENOSPC || problem == EDQUOT;
  return {no_room               ? cause::no_room
          : is_of_disk(problem) ? cause::local_error
                                : cause::misplaced,
          fmt::format("{}: cannot be written to the destination: {}{}", printable(path_), std::strerror(problem),
                      no_room ? "; free some space" : "")};
}

void picture_fetch::write(std::uint64_t offset, const std::vector<std::byte>& bytes) {
  if (broken_) return;
  const auto& d = dependencies_;
  if (offset + bytes.size() > row_.source->size && d.where.free_bytes() < d.min_free + bytes.size())
    return give_up({cause::no_room, fmt::format("{}: the destination's disk has no room for more than {} bytes of it "
                                                "(--min-free {}), and its size was not known; free some space",
                                                printable(path_), writer_.extent(), d.min_free)});
  if (const int problem = writer_.write(offset, bytes)) return give_up(disk_failure(problem));
  {
    const lock held{mutex_};
    if (file_ != writer_.file()) file_ = writer_.file();
    plan_.wrote(offset, bytes.size());
    release(bytes.size());
  }
  answer_readers();
}

void picture_fetch::finished(const std::optional<failure>& why, const attributes& after) {
  dependencies_.writers.post(row_.ino, 0, [self = shared_from_this(), why, after] {
    std::optional<failure> result = why;
    {
      const lock held{self->mutex_};
      if (self->write_failure_) result = self->write_failure_;
    }
    self->dependencies_.on_end(self, result, after);
  });
}

bool picture_fetch::try_again() {
  const lock held{mutex_};
  plan_.start_again();
  return ++attempts_ < 3;
}

transfer_plan::lacks picture_fetch::still_lacks(const attributes& after) {
  const lock held{mutex_};
  return plan_.still_lacks(after.size);
}

// Why the bytes that came are not the source's picture; nothing: they are.
std::optional<failure> picture_fetch::differs(const attributes& after, const std::optional<attributes>& seen) {
  const auto changed = [&](const std::string& how) {
    return failure{cause::changed, fmt::format("{}: {} on the source while it was fetched", printable(path_), how)};
  };
  const auto& times = dependencies_.where.times();
  const std::uint64_t known = row_.source->size, end = plan_.end().value_or(known), reported = after.size.value_or(0);
  if (after.mtime && row_.source->mtime != times.ns(*after.mtime)) return changed("was written again");
  if (known != 0 && reported != 0 && reported != known) return changed("changed its size");
  if (!plan_.is_written(0, end)) return changed("became shorter");
  if (!plan_.end() || plan_.is_confirmed(known) || plan_.is_confirmed(after.size)) return std::nullopt;
  const std::uint64_t looked = seen ? seen->size.value_or(0) : 0;
  if (looked == end && end != 0) return std::nullopt;
  if (known == 0 && reported == 0 && looked == 0) return std::nullopt;  // nothing reports it: its bytes do
  return failure{cause::source_error, fmt::format("{}: the source sends {} bytes of it and shows other sizes: {} in "
                                                  "the listing, {} of the open file, {} by its path",
                                                  printable(path_), end, known, size_text(after.size),
                                                  size_text(seen ? seen->size : std::nullopt))};
}

file_facts picture_fetch::source_facts() const noexcept {
  file_facts s = *row_.source;
  s.size = size();
  return s;
}

std::optional<failure> picture_fetch::complete(const attributes& after, const std::optional<attributes>& seen) {
  {
    const lock held{mutex_};
    if (auto why = differs(after, seen)) return why;
    if (plan_.end()) size_ = *plan_.end();
  }
  if (const int problem = writer_.complete(size())) return disk_failure(problem);
  complete_ = true;
  const lock held{mutex_};
  // A picture of the background lets its file go: thousands may wait together to be committed.
  demanded_ ? void(file_ = writer_.file()) : file_.reset();
  writer_.close();
  return std::nullopt;
}

std::optional<failure> picture_fetch::catch_up(const entry& now) {
  if (now.set_mode == row_.set_mode && now.set_mtime == row_.set_mtime && now.uid == row_.uid && now.gid == row_.gid)
    return std::nullopt;
  const auto fd = dependencies_.where.open_partial(row_.ino);
  const int problem = fd ? writer_.set_attributes(fd.get(), now, size()) : errno;
  return problem == 0 ? std::nullopt : std::optional(disk_failure(problem));
}

}  // namespace ferryfs::remote
