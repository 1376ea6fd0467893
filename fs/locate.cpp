#include "fs/locate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "index/error.hpp"
#include "index/path.hpp"
#include "remote/destination/private_directory.hpp"
#include "remote/unique_fd.hpp"

namespace ferryfs::fs {
namespace {

namespace stdfs = std::filesystem;

bool is_there(const stdfs::path& p) {
  std::error_code ignored;
  return stdfs::exists(p, ignored);
}

// Where the process that holds the archive's lock has it mounted; empty if nobody holds it, or without a mount.
std::string mounted_at(const stdfs::path& destination) {
  const auto path = destination / own_directory / "lock";
  const unique_fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd || ::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return "";
  std::string text(4200, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::pread(fd.get(), text.data(), text.size(), 0))));
  constexpr std::string_view mark = ", mounted at ";
  const auto at = text.find(mark);
  return at == std::string::npos ? "" : text.substr(at + mark.size());
}

}  // namespace

located locate(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0 && errno == ENOTCONN)
    throw error(
        exit_code::local,
        fmt::format("{}: a dead mount: its ferryfs has ended or was killed; take it off with umount -l, and mount "
                    "it again",
                    printable(path)));
  // The last component may be a symbolic link in the archive, which is not to be followed.
  const stdfs::path absolute = stdfs::absolute(path).lexically_normal();
  stdfs::path real = absolute;
  std::error_code problem;
  if (const auto parent = stdfs::canonical(absolute.parent_path(), problem); !problem && absolute.has_filename())
    real = parent / absolute.filename();
  if (is_there(real / own_directory)) real = stdfs::canonical(real, problem);
  if (!real.has_filename() && real.has_parent_path()) real = real.parent_path();

  for (stdfs::path root = real;; root = root.parent_path()) {
    const std::string relative = root == real ? "" : real.lexically_relative(root).string();
    if (is_there(root / own_directory / "status.json")) return {root, relative, true};
    if (is_there(root / own_directory / "index.db")) {
      remote::check_private(root);
      const std::string mountpoint = mounted_at(root);
      if (!mountpoint.empty() && is_there(stdfs::path(mountpoint) / own_directory / "status.json"))
        return {mountpoint, relative, true};
      return {root, relative, false};
    }
    if (root == root.parent_path()) break;
  }
  throw error(exit_code::usage,
              fmt::format("{}: not in an archive of ferryfs; name a destination, a mountpoint or something below one",
                          printable(path)));
}

}  // namespace ferryfs::fs
