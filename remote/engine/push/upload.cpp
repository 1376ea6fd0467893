#include "remote/engine/push/upload.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "index/base/disk.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/engine/source_facts.hpp"
#include "remote/files/split_path.hpp"
#include "remote/source/temporary_name.hpp"

namespace ferryfs::remote {
namespace {

std::string part_path(const std::string& path, const std::string& archive_id) {
  const auto [directory, name] = split_path(path);
  return directory.empty() ? temporary_name(name, archive_id) : join(directory, temporary_name(name, archive_id));
}

bool same_time(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

}  // namespace

upload::upload(dependencies d, entry row, std::string path, std::string target, local_file from,
               std::optional<file_facts> replaces)
    : needs_(std::move(d)),
      row_(std::move(row)),
      here_(std::move(path)),
      target_(std::move(target)),
      part_(part_path(target_, needs_.archive_id)),
      from_(std::move(from)),
      replaces_(replaces) {}

void upload::start(callback on_done) {
  on_done_ = std::move(on_done);
  needs_.source.stat(target_, [self = shared_from_this()](const auto& why, const attributes& there) {
    self->attempt([&] { self->on_stat(why, there); });
  });
}

void upload::attempt(const std::function<void()>& step) {
  if (const auto thrown = contain("push", step)) complete(end::failed, failure_of(thrown, printable(here_)));
}

bool upload::is_known(const attributes& there) const {
  return replaces_ && S_ISREG(there.mode) && !shows_another(*replaces_, there, needs_.where.times());
}

void upload::on_stat(const std::optional<failure>& why, const attributes& there) {
  if (why && why->why != cause::not_found) return complete(end::failed, why);
  if (why || is_known(there)) return needs_.source.write(shared_from_this());
  if (S_ISREG(there.mode) && (there.size == size() || there.size.value_or(0) == 0)) return compare_digest(there);
  refuse(replaces_ ? "changed on the source since the last scan; run ferryfs scan, and check it"
                   : "something else has this name on the source");
}

// An earlier run may have been cut off behind its last rename.
void upload::compare_digest(const attributes& there) {
  needs_.source.digest(target_, [self = shared_from_this(), there](const auto& why, const std::string& d) {
    self->attempt([&] {
      if (why) return self->complete(end::failed, why);
      if (d == self->from_.sha256) return self->complete(end::already_there, {}, there);
      self->refuse("another picture of the same size has this name on the source");
    });
  });
}

std::uint64_t upload::begin(std::uint64_t there) {
  part_opened_ = true;
  return at_ = begun_at_ = from_first_byte_ || there > size() ? 0 : there;
}

writing::next upload::next_bytes(std::uint32_t at_most, std::vector<std::byte>& into) {
  if (at_ == size() || local_problem_ != 0) return {next_step::done, 0};
  if (needs_.stop.stop_requested()) {
    local_problem_ = ECANCELED;
    return {next_step::done, 0};
  }
  const auto length = std::min<std::uint64_t>(at_most, size() - at_);
  if (!needs_.limit.take(length)) return {next_step::throttled, 0};
  into.resize(length);
  const ssize_t n = disk().pread(from_.file.get(), into.data(), into.size(), static_cast<off_t>(at_));
  if (n <= 0) {  // nothing more: it became shorter
    local_problem_ = n < 0 ? errno : ESTALE;
    return {next_step::done, 0};
  }
  into.resize(static_cast<std::size_t>(n));
  needs_.bytes += static_cast<std::uint64_t>(n);
  const std::uint64_t offset = at_;
  at_ += static_cast<std::uint64_t>(n);
  return {next_step::more, offset};
}

attributes upload::final_attributes() const { return {from_.as.st_mode, size(), from_.as.st_mtim.tv_sec}; }

void upload::finished(const std::optional<failure>& why, const attributes& after) {
  attempt([&] { on_written(why, after); });
}

void upload::on_written(const std::optional<failure>& why, const attributes& after) {
  const bool is_denied = why && (why->why == cause::permission || why->why == cause::source_error);
  if (is_denied && !part_opened_ && !obstacle_removed_) return on_denied(*why);
  if (why) return complete(end::failed, why);
  if (local_problem_ == ECANCELED) return complete(end::failed, failure{cause::cancelled, "interrupted"});
  if (local_problem_ == ESTALE) return discard(end::changed, {});
  if (local_problem_ != 0)
    return discard(end::failed, failure{cause::local_error, fmt::format("{}: cannot be read: {}", printable(here_),
                                                                        std::strerror(local_problem_))});
  // Where the server does not tell it, the digest proves it.
  if (after.size.value_or(0) != 0 && after.size != size())
    return discard(end::failed, failure{cause::source_error, fmt::format("{}: {} of {} bytes are on the source",
                                                                         printable(here_), *after.size, size())});
  after_ = after;
  needs_.source.digest(part_, [self = shared_from_this()](const auto& failed, const std::string& d) {
    self->attempt([&] { self->on_digest(failed, d); });
  });
}

// ProFTPD, as it is set up by itself, lets nothing that stands there be written to, nor gone on with: if it was that,
// what an earlier run left can be taken away. "Failure" may be for want of handles as well, or a bad disk, so that
// alone throws nothing away before it comes a second time.
void upload::on_denied(const failure& why) {
  if (why.why == cause::source_error && !std::exchange(failed_once_, true))
    return needs_.source.write(shared_from_this());
  needs_.source.stat(part_, [self = shared_from_this(), why](const auto& failed, const attributes& there) {
    self->attempt([&] {
      if (failed && failed->of_connection()) return self->complete(end::failed, failed);
      failed ? self->complete(end::failed, why) : self->clear_way(why, there);
    });
  });
}

void upload::clear_way(const failure& why, const attributes& there) {
  if (!S_ISREG(there.mode)) return complete(end::failed, why);
  obstacle_removed_ = true;
  needs_.source.remove(part_, [self = shared_from_this(), why](const auto& failed, const auto&) {
    self->attempt([&] { failed ? self->complete(end::failed, why) : self->needs_.source.write(self); });
  });
}

void upload::on_digest(const std::optional<failure>& why, const std::string& sha256) {
  if (why) return complete(end::failed, why);
  if (!is_unchanged() || needs_.open.is_written(row_.ino)) return discard(end::changed, {});
  if (is_spoilt()) return refuse(spoilt_here);
  if (sha256 != from_.sha256) {
    // The part that an earlier run had left was of another file.
    if (begun_at_ > 0) {
      from_first_byte_ = true;
      return needs_.source.write(shared_from_this());
    }
    return discard(end::failed, failure{cause::source_error,
                                        fmt::format("{}: the source has other bytes than were sent to it; try again, "
                                                    "and check its disk",
                                                    printable(here_))});
  }
  stat_again();
}

// Still the same file under the same name, as it was read.
bool upload::is_unchanged() const {
  struct stat now {
  }, named{};
  const unique_fd again = needs_.where.open(here_, O_PATH | O_NOFOLLOW);
  if (!again || disk().fstat(again.get(), &named) != 0 || disk().fstat(from_.file.get(), &now) != 0) return false;
  return named.st_ino == now.st_ino && named.st_dev == now.st_dev && now.st_size == from_.as.st_size &&
         same_time(now.st_mtim, from_.as.st_mtim) && same_time(now.st_ctim, from_.as.st_ctim);
}

// Found to be so by a verify while it was sent.
bool upload::is_spoilt() const {
  const auto now = needs_.readers.borrow()->by_inode(row_.ino);
  return now && remote::is_spoilt(*now);
}

// Right before the rename, which on some servers replaces what stands there, whatever is asked of them.
void upload::stat_again() {
  needs_.source.stat(target_, [self = shared_from_this()](const auto& why, const attributes& there) {
    self->attempt([&] { self->rename_onto(why, there); });
  });
}

void upload::rename_onto(const std::optional<failure>& why, const attributes& there) {
  if (why && why->why != cause::not_found) return complete(end::failed, why);
  if (!why && !replaces_) return refuse("another file has taken this name on the source");
  if (!why && !is_known(there))
    return refuse("changed on the source since the last scan; run ferryfs scan, and check it");
  needs_.source.rename(part_, target_, !why, [self = shared_from_this()](const auto& failed, const auto&) {
    self->attempt([&] { self->on_renamed(failed); });
  });
}

void upload::on_renamed(const std::optional<failure>& why) {
  if (why && why->why == cause::exists) return refuse("another file has taken this name on the source");
  why ? complete(end::failed, why) : complete(end::sent, {}, after_);
}

void upload::refuse(const std::string& why) {
  discard(end::failed, failure{cause::exists, fmt::format("{}: {}", printable(here_), why)});
}

// Takes away what was sent, which is the only thing that a push ever removes.
void upload::discard(end how, std::optional<failure> why) {
  needs_.source.remove(part_, [self = shared_from_this(), how, why = std::move(why)](const auto&, const auto&) {
    self->complete(how, why);
  });
}

void upload::complete(end how, const std::optional<failure>& why, const attributes& there) {
  if (const auto call = std::exchange(on_done_, nullptr)) call(how, why, there);
}

}  // namespace ferryfs::remote
