#include "remote/fetch/picture.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "index/exception_barrier.hpp"
#include "index/path.hpp"
#include "index/time.hpp"
#include "remote/fetch/sparse.hpp"

namespace ferryfs::remote {

picture::picture(services s, const entry& e, std::uint64_t begun_at, std::string path, bool demanded)
    : services_(std::move(s)),
      row_(e),
      begun_at_(begun_at),
      path_(std::move(path)),
      demanded_(demanded),
      owes_(e.source->size),
      context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
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

void picture::wait_for(std::uint64_t offset, std::uint64_t length, std::uint64_t id, waiter w) {
  const std::uint64_t from = std::min(offset, size());
  const std::uint64_t to = std::min(from + length, size());
  std::unique_lock lock{mutex_};
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
  return {std::move(file), written_.covers(0, size()), size(), rejected_};
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
  return ++attempts_ < 3;
}

reading::next picture::want(std::uint32_t at_most) {
  const std::lock_guard lock{mutex_};
  if (broken_) return {wish::enough, {}};
  auto gap = requested_.first_gap(prefer_, size());
  if (!gap) gap = requested_.first_gap(0, size());
  if (!gap) return {wish::enough, {}};
  const std::uint64_t to = std::min(gap->to, gap->from + at_most);
  if (!demanded_ && !services_.limit.take(to - gap->from)) return {wish::later, {}};
  requested_.add(gap->from, to);
  if (!begun_.exchange(true)) heard_ = std::chrono::steady_clock::now();
  return {wish::more, {gap->from, static_cast<std::uint32_t>(to - gap->from)}};
}

void picture::arrived(std::uint64_t offset, std::span<const std::byte> bytes) {
  heard_ = std::chrono::steady_clock::now();
  services_.heard = heard_.load();
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
  auto file = file_ ? file_ : std::make_shared<unique_fd>(services_.where.create_partial(row_.ino, mode_of(row_)));
  if (!*file || !write_sparse(file->get(), offset, bytes, size())) return give_up(disk_failure(errno));
  digest(offset, bytes);
  std::vector<waiting> served;
  bytes_ready ready;
  {
    const std::lock_guard lock{mutex_};
    file_ = file;
    written_.add(offset, offset + bytes.size());
    pay(bytes.size());
    const auto still = std::stable_partition(waiters_.begin(), waiters_.end(),
                                             [&](const waiting& w) { return !written_.covers(w.from, w.to); });
    served.assign(std::make_move_iterator(still), std::make_move_iterator(waiters_.end()));
    waiters_.erase(still, waiters_.end());
    if (!served.empty()) ready = hand_out(file);
  }
  for (const auto& w : served) call(w, ready);
}

// The digest is taken while the bytes pass, as long as they come from the front.
void picture::digest(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset != digested_) return;
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
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

std::optional<failure> picture::complete(const attributes& after) {
  const auto changed = [&](const std::string& how) {
    return failure{cause::changed, fmt::format("{}: {} on the source while it was fetched", printable(path_), how)};
  };
  {
    const std::lock_guard lock{mutex_};
    if (!written_.covers(0, size())) return changed("became shorter");
  }
  if (after.size != size()) return changed("changed its size");
  if (services_.where.times().ns(after.mtime) != row_.source->mtime) return changed("was written again");
  if (!file_)  // an empty one
    file_ = std::make_shared<unique_fd>(services_.where.create_partial(row_.ino, mode_of(row_)));
  if (!*file_) return disk_failure(errno);
  if (!digest_from_disk()) return disk_failure(EIO);
  sha256_.resize(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(sha256_.data()), &length);
  sha256_.resize(length);

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
