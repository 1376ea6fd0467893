#include "remote/destination/new_file_attributes.hpp"
#include "index/base/disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ferryfs::remote {
namespace {

constexpr inode trial = 0;  // no picture has it

// Our user, or the file system, has no other owner or mode to give.
bool is_not_to_be_had(int problem) { return problem == EPERM || problem == EOPNOTSUPP || problem == EINVAL; }

}  // namespace

void new_file_attributes::probe(partial_files& trials, const struct stat& root) {
  probe_mode(trials);
  probe_owner(trials, root);
}

void new_file_attributes::probe_mode(partial_files& trials) {
  umask_ = ::umask(0);
  ::umask(umask_);
  struct stat st {};
  const unique_fd file = trials.create(trial, 0777);
  modes_hold_ = file && disk().fstat(file.get(), &st) == 0 && (st.st_mode & 07777) == (0777 & ~umask_);
  if (file) probe_times(file.get());
  trials.remove(trial);
}

void new_file_attributes::probe_times(int file) {
  const auto kept = [file](std::int64_t seconds) {
    const timespec times[] = {{0, UTIME_OMIT}, {seconds, 0}};
    struct stat st {};
    return disk().futimens(file, times) == 0 && disk().fstat(file, &st) == 0 ? st.st_mtim.tv_sec : seconds;
  };
  const std::int64_t first = kept(first_second), last = kept(last_second);
  // A file system that sets another time than one near the edge, as a server's 32 bits that wrap round, says nothing of
  // its range.
  if (first < last) times_ = {std::max(first, first_second), std::min(last, last_second)};
}

void new_file_attributes::probe_owner(partial_files& trials, const struct stat& root) {
  constexpr auto as_it_is = static_cast<std::uint32_t>(-1);
  uid_ = root.st_uid, gid_ = root.st_gid;
  ours_ = uid_ == ::geteuid() && gid_ == ::getegid();
  struct stat made {};
  struct stat st {};
  const unique_fd file = trials.create(trial, 0600);
  if (!file || disk().fstat(file.get(), &made) != 0) return;
  // Each by itself: a plain user can give his files to his own groups, and to nobody else.
  bool refused = disk().fchown(file.get(), root.st_uid, as_it_is) != 0;
  refused = disk().fchown(file.get(), as_it_is, root.st_gid) != 0 || refused;
  const bool seen = disk().fstat(file.get(), &st) == 0;
  trials.remove(trial);
  if (!seen) return;
  uid_ = st.st_uid, gid_ = st.st_gid;
  ours_ = uid_ == made.st_uid && gid_ == made.st_gid;
  if (uid_ == root.st_uid && gid_ == root.st_gid) return;
  other_owner_ =
      fmt::format("files get the owner and group {}:{}, as those of the directory, {}:{}, {}", uid_, gid_, root.st_uid,
                  root.st_gid, refused ? fmt::format("can't be given by user {}", ::geteuid()) : "are not kept there");
}

int new_file_attributes::give_owner(int file, std::optional<std::uint32_t> uid,
                                    std::optional<std::uint32_t> gid) const noexcept {
  if (ours_ && !uid && !gid) return 0;
  const bool given = disk().fchownat(file, "", uid.value_or(uid_), gid.value_or(gid_), AT_EMPTY_PATH) == 0;
  return given || is_not_to_be_had(errno) ? 0 : errno;
}

int new_file_attributes::give_mode(int file, std::uint32_t mode) const noexcept {
  return disk().fchmod(file, mode & 07777) == 0 || is_not_to_be_had(errno) ? 0 : errno;
}

}  // namespace ferryfs::remote
