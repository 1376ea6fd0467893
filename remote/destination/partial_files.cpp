#include "remote/destination/partial_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "index/base/disk.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/destination/copy_bytes.hpp"
#include "remote/files/beneath.hpp"
#include "remote/files/list_directory.hpp"
#include "remote/files/rename.hpp"

namespace ferryfs::remote {
namespace {

constexpr const char* home_name = "partial";
constexpr std::string_view carried_before = ".ferryfs-", carried_after = ".part";

std::string carried_name(inode ino) { return fmt::format("{}{}{}", carried_before, ino, carried_after); }

std::optional<inode> inode_of(std::string_view name) noexcept {
  if (!name.starts_with(carried_before) || !name.ends_with(carried_after)) return std::nullopt;
  if (name.size() <= carried_before.size() + carried_after.size()) return std::nullopt;
  inode ino = 0;
  const char* const end = name.data() + name.size() - carried_after.size();
  const auto [at, problem] = std::from_chars(name.data() + carried_before.size(), end, ino);
  return problem == std::errc{} && at == end ? std::optional(ino) : std::nullopt;
}

unique_fd make_and_open(int at, const char* name, const std::string& shown) {
  const bool made = disk().mkdirat(at, name, 0700) == 0 || errno == EEXIST;
  unique_fd fd;
  if (made) fd = unique_fd{disk().openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd)
    throw error(exit_code::local, fmt::format("{}: {}; it must be a directory that ferryfs may write to",
                                              printable(shown), std::strerror(errno)));
  return fd;
}

}  // namespace

bool is_partial_name(std::string_view name) noexcept { return inode_of(name).has_value(); }

void partial_files::open_in(const unique_fd& home, const std::string& shown) {
  const std::string path = fmt::format("{}/{}", shown, home_name);
  const unique_fd partial = make_and_open(home.get(), home_name, path);
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const std::string name = std::to_string(i);
    const unique_fd& directory = directories_[i] = make_and_open(partial.get(), name.c_str(), path + '/' + name);
    list_directory(directory.get(), "", [&](local_entry&& e) { disk().unlinkat(directory.get(), e.name.c_str(), 0); });
  }
}

void partial_files::close_in(const unique_fd& home) noexcept {
  const unique_fd partial = open_beneath(home.get(), home_name, O_PATH | O_DIRECTORY);
  for (std::size_t i = 0; partial && i < directories_.size(); ++i)
    if (directories_[i]) disk().unlinkat(partial.get(), std::to_string(i).c_str(), AT_REMOVEDIR);
}

partial_files::place partial_files::home_of(inode ino) const noexcept {
  return {directories_[ino % directories_.size()].get(), std::to_string(ino), nullptr};
}

partial_files::place partial_files::place_of(inode ino) const noexcept {
  const lock held{mutex_};
  const auto at = carried_.find(ino);
  return at == carried_.end() ? home_of(ino) : place{at->second->get(), carried_name(ino), at->second};
}

unique_fd partial_files::create(inode ino, std::uint32_t mode) const noexcept {
  const auto p = place_of(ino);
  return unique_fd{
      disk().openat(p.directory, p.name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode & 0777)};
}

unique_fd partial_files::open(inode ino) const noexcept {
  const auto p = place_of(ino);
  return unique_fd{disk().openat(p.directory, p.name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
}

void partial_files::remove(inode ino) noexcept {
  const auto p = place_of(ino);
  disk().unlinkat(p.directory, p.name.c_str(), 0);
  const lock held{mutex_};
  carried_.erase(ino);
}

int partial_files::give_name(inode ino, int directory, const std::string& name, bool replace) noexcept {
  const auto p = place_of(ino);
  int problem = 0;
  if (!replace)
    problem = rename_no_replace(p.directory, p.name, directory, name, no_links::look_first);
  else if (disk().renameat(p.directory, p.name.c_str(), directory, name.c_str()) != 0)
    problem = errno;
  if (problem != 0) return problem;
  const lock held{mutex_};
  carried_.erase(ino);
  return 0;
}

int partial_files::copy(inode ino, int directory, const std::string& name) const noexcept {
  const unique_fd in = open(ino);
  struct stat st {};
  if (!in || disk().fstat(in.get(), &st) != 0) return errno;
  disk().unlinkat(directory, name.c_str(), 0);
  const unique_fd out{
      disk().openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!out) return errno;
  if (!copy_bytes(in.get(), out.get(), st.st_size)) return errno;
  // A file system that keeps none of these is no failure.
  if (disk().fchown(out.get(), st.st_uid, st.st_gid) != 0 && errno == EIO) return EIO;
  if (disk().fchmod(out.get(), st.st_mode & 07777) != 0 && errno == EIO) return EIO;
  const timespec times[] = {st.st_atim, st.st_mtim};
  return disk().futimens(out.get(), times) == 0 ? 0 : errno;
}

int partial_files::carry(inode ino, const unique_fd& directory) noexcept {
  auto kept = std::make_shared<const unique_fd>(disk().duplicate(directory.get()));
  if (!*kept) return errno;
  {
    const lock held{mutex_};
    carrying_.insert(ino);
  }
  const std::string name = carried_name(ino);
  const int problem = copy(ino, kept->get(), name);
  if (problem != 0) disk().unlinkat(kept->get(), name.c_str(), 0);
  {
    const lock held{mutex_};
    carrying_.erase(ino);
    if (problem == 0) carried_.insert_or_assign(ino, std::move(kept));
  }
  if (const auto home = home_of(ino); problem == 0) disk().unlinkat(home.directory, home.name.c_str(), 0);
  return problem;
}

bool partial_files::is_carried(inode ino) const noexcept {
  const lock held{mutex_};
  return carried_.contains(ino);
}

bool partial_files::is_left_over(std::string_view name) const noexcept {
  const auto ino = inode_of(name);
  const lock held{mutex_};
  return ino && !carried_.contains(*ino) && !carrying_.contains(*ino);
}

}  // namespace ferryfs::remote
