#include "fs/cli/locate.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "fs/process/holder.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/destination/private_directory.hpp"

namespace ferryfs::fs {
namespace {

namespace stdfs = std::filesystem;

bool is_there(const stdfs::path& p) {
  std::error_code ignored;
  return stdfs::exists(p, ignored);
}

// Where the archive is mounted, as far as that is to be seen from here; empty: nowhere.
std::string mounted_at(const stdfs::path& destination) {
  const auto h = holder_of(destination);
  const std::string at = h ? mountpoint_here(*h) : "";
  return !at.empty() && is_there(stdfs::path(at) / own_directory / "status.json") ? at : "";
}

}  // namespace

archive_location locate(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0 && errno == ENOTCONN)
    throw error(
        exit_code::local,
        fmt::format(
            "{}: a dead mount: its ferryfs has ended or was killed; unmount it with umount -l, then mount it again",
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
      if (!mountpoint.empty()) return {mountpoint, relative, true};
      return {root, relative, false};
    }
    if (root == root.parent_path()) break;
  }
  throw error(exit_code::usage,
              fmt::format("{}: not in a ferryfs archive; name a destination, a mountpoint or something below one",
                          printable(path)));
}

}  // namespace ferryfs::fs
