#include "remote/engine/fetch/picture.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "remote/engine/fetch/sparse.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t most_sought = 8U << 20;  // bytes requested behind all that is known

std::string size_text(const std::optional<std::uint64_t>& size) { return size ? std::to_string(*size) : "none"; }

}  // namespace

picture::picture(services s, const entry& e, std::uint64_t begun_at, std::string path, bool demanded)
    : services_(std::move(s)),
      row_(e),
      begun_at_(begun_at),
      path_(std::move(path)),
      demanded_(demanded),
      size_(e.source->size),
      seeks_end_(e.source->size == 0),
      owes_(e.source->size) {
  services_.owed += owes_;
}

picture::~picture() = default;

void picture::pay(std::uint64_t bytes) {
  const std::uint64_t paid = std::min(owes_, bytes);
  owes_ -= paid;
  services_.owed -= paid;
}

void picture::settle() {
  const std::lock_guard lock{mutex_};
  pay(owes_);
}

// To where it goes, as far as that is known; mutex_ is held.
std::uint64_t picture::known_end() const { return end_ ? *end_ : seeks_end_ ? UINT64_MAX : size(); }

// All that it waits for and that the picture has. mutex_ is held.
bool picture::is_there(const waiting& w) const {
  const std::uint64_t end = known_end();
  return written_.covers(std::min(w.from, end), std::min(w.to, end));
}

void picture::wait_for(std::uint64_t offset, std::uint64_t length, std::uint64_t id, waiter w) {
  std::unique_lock lock{mutex_};
  const std::uint64_t from = std::min(offset, known_end());
  const std::uint64_t to = std::min(from + std::min(length, UINT64_MAX - from), known_end());
  demanded_ = true;
  std::optional<outcome> now = over_;
  if (!*rejected_ && written_.covers(from, to))
    if (auto file = readable()) now = hand_out(std::move(file));
  if (now) {
    lock.unlock();
    return w(*now);
  }
  // Requested and on its way, or not: reading goes on behind it.
  prefer_ = from;
  waiters_.push_back({from, to, id, std::move(w)});
}

// mutex_ is held.
bytes_ready picture::hand_out(std::shared_ptr<const unique_fd> file) {
  handed_out_ = true;
  return {std::move(file), known_end() != UINT64_MAX && written_.covers(0, known_end()), size(), rejected_};
}

bool picture::handed_out() {
  const std::lock_guard lock{mutex_};
  return handed_out_;
}

bool picture::reject() {
  const std::lock_guard lock{mutex_};
  *rejected_ = true;
  return handed_out_;
}

// A background picture's file is closed when it is complete, until it has landed.
std::shared_ptr<const unique_fd> picture::readable() {
  if (!file_)
    if (auto fd = services_.where.open_partial(row_.ino)) file_ = std::make_shared<unique_fd>(std::move(fd));
  return file_;
}

bool picture::forget(std::uint64_t id) {
  const std::lock_guard lock{mutex_};
  return std::erase_if(waiters_, [&](const waiting& w) { return w.id == id; }) > 0;
}

void picture::answer_all(const outcome& o) {
  std::unique_lock lock{mutex_};
  const auto all = std::move(waiters_);
  waiters_.clear();
  over_ = o;
  lock.unlock();
  for (const auto& w : all) call(w, o);
}

void picture::call(const waiting& one, const outcome& o) noexcept {
  contain("answer to a read", [&] { one.call(o); });
}

bool picture::awaited() {
  const std::lock_guard lock{mutex_};
  return !waiters_.empty();
}

bool picture::try_again() {
  const std::lock_guard lock{mutex_};
  requested_ = written_;
  asked_beyond_ = false;
  sought_ = found_ = 0;
  return ++attempts_ < 3;
}

reading::next picture::next_range(std::uint32_t at_most) {
  const std::lock_guard lock{mutex_};
  if (broken_) return {next_step::done, {}};
  const std::uint64_t end = end_.value_or(size());
  auto gap = requested_.first_gap(prefer_, end);
  if (!gap) gap = requested_.first_gap(0, end);
  if (!gap) return beyond(at_most);
  const std::uint64_t to = std::min(gap->to, gap->from + at_most);
  if (!demanded_ && !services_.limit.take(to - gap->from)) return {next_step::throttled, {}};
  requested_.add(gap->from, to);
  if (!begun_.exchange(true)) heard_ = std::chrono::steady_clock::now();
  range part{gap->from, static_cast<std::uint32_t>(to - gap->from)};
  // Where there is room for it in the last range: a request of its own costs as much as the bytes of a small picture.
  if (!end_ && !seeks_end_ && to == end && part.length < at_most) ++part.length, part.beyond = asked_beyond_ = true;
  return {next_step::more, part};
}

// All that is known of was requested. mutex_ is held.
reading::next picture::beyond(std::uint32_t at_most) {
  if (end_) return {next_step::done, {}};
  if (!seeks_end_) {
    if (std::exchange(asked_beyond_, true)) return {next_step::done, {}};
    return {next_step::more, {size(), 1, true}};
  }
  // As much at a time as came before: the first answer mostly shows the end.
  const std::uint64_t from = requested_.first_gap(0, UINT64_MAX)->from;
  if (sought_ > found_ && sought_ - found_ >= std::min(found_, most_sought)) return {next_step::throttled, {}};
  if (!demanded_ && !services_.limit.take(at_most)) return {next_step::throttled, {}};
  requested_.add(from, from + at_most);
  sought_ += at_most;
  if (!begun_.exchange(true)) heard_ = std::chrono::steady_clock::now();
  return {next_step::more, {from, at_most}};
}

// Whoever waits for bytes behind it is answered when those before it are written.
bool picture::ends(std::uint64_t offset) {
  {
    const std::lock_guard lock{mutex_};
    end_ = std::min(end_.value_or(offset), offset);
  }
  services_.writers.post(row_.ino, 0, [self = shared_from_this()] {
    if (const auto thrown = contain("end of a picture", [&] { self->serve_waiters(); }))
      self->give_up(failure_of(thrown, printable(self->path_)));
  });
  return true;
}

void picture::arrived(std::uint64_t offset, std::span<const std::byte> bytes) {
  heard_ = std::chrono::steady_clock::now();
  services_.heard = heard_.load();
  {
    const std::lock_guard lock{mutex_};
    const std::uint64_t to = offset + bytes.size(), known = row_.source->size;
    if (to > known) seeks_end_ = true, found_ += to - std::max(offset, known);
  }
  services_.writers.post(
      row_.ino, bytes.size(),
      [self = shared_from_this(), offset, copy = std::vector<std::byte>(bytes.begin(), bytes.end())] {
        if (const auto thrown = contain("writing a picture", [&] { self->write(offset, copy); }))
          self->give_up(failure_of(thrown, printable(self->path_)));
      });
}

void picture::give_up(const failure& why) {
  broken_ = true;
  {
    const std::lock_guard lock{mutex_};
    write_failure_ = why;
  }
  answer_all(why);
}

failure picture::disk_failure(int problem) const {
  const bool no_room = problem == ENOSPC || problem == EDQUOT;
  return {no_room               ? cause::no_room
          : is_of_disk(problem) ? cause::local_error
                                : cause::misplaced,
          fmt::format("{}: cannot be written to the destination: {}{}", printable(path_), std::strerror(problem),
                      no_room ? "; free some space" : "")};
}

void picture::write(std::uint64_t offset, const std::vector<std::byte>& bytes) {
  if (broken_) return;
  if (offset + bytes.size() > row_.source->size && services_.where.free_bytes() < services_.min_free + bytes.size())
    return give_up({cause::no_room,
                    fmt::format("{}: the destination's disk has no room for more than {} bytes of it (--min-free {}), "
                                "and its size was not known; make room",
                                printable(path_), extent_, services_.min_free)});
  auto file = file_ ? file_ : std::make_shared<unique_fd>(services_.where.create_partial(row_.ino, mode_of(row_)));
  extent_ = std::max({extent_, size(), offset + bytes.size()});
  if (!*file || !write_sparse(file->get(), offset, bytes, extent_)) return give_up(disk_failure(errno));
  digest(offset, bytes);
  {
    const std::lock_guard lock{mutex_};
    file_ = file;
    written_.add(offset, offset + bytes.size());
    pay(bytes.size());
  }
  serve_waiters();
}

void picture::serve_waiters() {
  std::vector<waiting> served;
  bytes_ready ready;
  {
    const std::lock_guard lock{mutex_};
    if (!file_ || *rejected_) return;
    const auto still =
        std::stable_partition(waiters_.begin(), waiters_.end(), [&](const waiting& w) { return !is_there(w); });
    served.assign(std::make_move_iterator(still), std::make_move_iterator(waiters_.end()));
    waiters_.erase(still, waiters_.end());
    if (!served.empty()) ready = hand_out(file_);
  }
  for (const auto& w : served) call(w, ready);
}

// The digest is taken while the bytes pass, as long as they come from the front.
void picture::digest(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset != digested_) return;
  hash_.add(bytes);
  digested_ += bytes.size();
}

bool picture::digest_from_disk() {
  if (digested_ == size()) return true;
  std::vector<std::byte> buffer(1U << 20);
  while (digested_ < size()) {
    const ssize_t n = ::pread(file_->get(), buffer.data(), buffer.size(), static_cast<off_t>(digested_));
    if (n <= 0) return false;
    digest(digested_, std::span(buffer).first(static_cast<std::size_t>(n)));
  }
  return true;
}

void picture::finished(const std::optional<failure>& why, const attributes& after) {
  services_.writers.post(row_.ino, 0, [self = shared_from_this(), why, after] {
    std::optional<failure> result = why;
    {
      const std::lock_guard lock{self->mutex_};
      if (self->write_failure_) result = self->write_failure_;
    }
    self->services_.ended(self, result, after);
  });
}

// Where a size is told twice, and as many bytes came with none behind them, that is the end. Else it is looked for.
picture::lacks picture::still_lacks(const attributes& after) {
  const std::lock_guard lock{mutex_};
  const std::uint64_t known = row_.source->size, told = after.size.value_or(0);
  if (!end_ && !seeks_end_) return lacks::nothing;
  // More came than was known. Unless it has just grown, the size that was told is wrong.
  if (!end_) return known > 0 && told > known ? lacks::nothing : lacks::end;
  if (is_confirmed(known) || is_confirmed(after.size)) return lacks::nothing;
  return lacks::size;
}

// `told` is the number of bytes that came. A 0 is no word of a size, but where there is no other. mutex_ is held.
bool picture::is_confirmed(const std::optional<std::uint64_t>& told) const {
  return told && *told == *end_ && (*told != 0 || row_.source->size == 0);
}

// What came is not what the source has, or is no picture at all. mutex_ is held.
std::optional<failure> picture::differs(const attributes& after, const std::optional<attributes>& seen) {
  const auto changed = [&](const std::string& how) {
    return failure{cause::changed, fmt::format("{}: {} on the source while it was fetched", printable(path_), how)};
  };
  const auto& times = services_.where.times();
  const std::uint64_t known = row_.source->size, end = end_.value_or(known), told = after.size.value_or(0);
  if (after.mtime && row_.source->mtime != times.ns(*after.mtime)) return changed("was written again");
  if (known != 0 && told != 0 && told != known) return changed("changed its size");
  if (!written_.covers(0, end)) return changed("became shorter");
  if (!end_ || is_confirmed(known) || is_confirmed(after.size)) return std::nullopt;
  const std::uint64_t looked = seen ? seen->size.value_or(0) : 0;
  if (looked == end && end != 0) return std::nullopt;
  if (known == 0 && told == 0 && looked == 0) return std::nullopt;  // nobody tells it: its bytes do
  return failure{
      cause::source_error,
      fmt::format("{}: the source sends {} bytes of it and tells other sizes: {} listed, {} when it is open, {} "
                  "when it is looked at",
                  printable(path_), end, known, size_text(after.size), size_text(seen ? seen->size : std::nullopt))};
}

file_facts picture::source_side() const noexcept {
  file_facts s = *row_.source;
  s.size = size();
  return s;
}

std::optional<failure> picture::complete(const attributes& after, const std::optional<attributes>& seen) {
  {
    const std::lock_guard lock{mutex_};
    if (auto why = differs(after, seen)) return why;
    if (end_) size_ = *end_;
  }
  if (!file_)  // an empty one
    file_ = std::make_shared<unique_fd>(services_.where.create_partial(row_.ino, mode_of(row_)));
  if (!*file_) return disk_failure(errno);
  if (extent_ > size() && ::ftruncate(file_->get(), static_cast<off_t>(size())) != 0) return disk_failure(errno);
  if (!digest_from_disk()) return disk_failure(EIO);
  sha256_ = hash_.result();

  if (auto problem = set_attributes(file_->get(), row_)) return problem;
  complete_ = true;
  const std::lock_guard lock{mutex_};
  if (!demanded_) file_.reset();  // thousands may wait to land together
  return std::nullopt;
}

mode_t picture::mode_of(const entry& wanted) const { return wanted.set_mode.value_or(row_.source->mode & 07777); }

std::optional<failure> picture::set_attributes(int fd, const entry& wanted) {
  if (const int problem = services_.where.give_owner(fd, wanted.uid, wanted.gid)) return disk_failure(problem);
  const std::int64_t mtime = services_.where.times().clamped(wanted.set_mtime.value_or(row_.source->mtime));
  const timespec when = to_timespec(mtime);
  const timespec times[] = {when, when};
  const mode_t mode = mode_of(wanted);
  const bool made_so = &wanted == &row_ && services_.where.makes(mode);
  if (const int problem = made_so ? 0 : services_.where.give_mode(fd, mode)) return disk_failure(problem);
  if (::futimens(fd, times) != 0) return disk_failure(errno);
  struct stat st {};
  if (::fstat(fd, &st) != 0) return disk_failure(errno);
  local_ = {S_IFREG | mode, size(), mtime, holes_of(st)};
  return std::nullopt;
}

std::optional<failure> picture::catch_up(const entry& now) {
  if (now.set_mode == row_.set_mode && now.set_mtime == row_.set_mtime && now.uid == row_.uid && now.gid == row_.gid)
    return std::nullopt;
  const auto fd = services_.where.open_partial(row_.ino);
  return fd ? set_attributes(fd.get(), now) : disk_failure(errno);
}

}  // namespace ferryfs::remote
