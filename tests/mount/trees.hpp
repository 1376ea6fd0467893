// Trees of old files, and what a tree holds, comparable with another's.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/doubles/descriptor.hpp"
#include "tests/doubles/files.hpp"

namespace ferryfs::test {

constexpr std::time_t long_ago = 1'700'000'000;  // a file younger than some seconds counts as still being written

inline void set_mtime(const std::filesystem::path& path, std::time_t mtime) {
  const timespec times[2] = {{mtime, 0}, {mtime, 0}};
  checked(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), path.string());
}

// A picture that nobody writes to any more; the directories above it are made.
inline void write_old(const std::filesystem::path& path, std::string_view content, std::time_t mtime = long_ago) {
  write_file(path, content);
  set_mtime(path, mtime);
}

// Bytes that differ from place to place and from seed to seed.
inline std::string noise(std::size_t size, std::uint64_t seed = 1) {
  std::string bytes(size, '\0');
  std::uint64_t x = seed * 0x9E3779B97F4A7C15 + 1;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 8 == 0) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    bytes[i] = static_cast<char>(x >> (i % 8 * 8));
  }
  return bytes;
}

using tree = std::map<std::string, std::string>;

inline std::string kind_and_times(const struct stat& st) {
  std::ostringstream text;
  text << "mode " << std::oct << st.st_mode << std::dec;
  if (!S_ISDIR(st.st_mode)) text << " size " << st.st_size << " mtime " << st.st_mtim.tv_sec;
  return text.str();
}

// Every path below `root` but ferryfs's own, with what `tell` says of it.
inline tree tree_of(const std::filesystem::path& root,
                    const std::function<std::string(const std::filesystem::path&, const struct stat&)>& tell) {
  namespace fs = std::filesystem;
  tree found;
  if (!fs::exists(fs::symlink_status(root))) return found;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) {
    if (at->path() == root / ".ferryfs") {
      at.disable_recursion_pending();
      continue;
    }
    struct stat st {};
    checked(::lstat(at->path().c_str(), &st), at->path().string());
    found[at->path().lexically_relative(root).string()] = tell(at->path(), st);
  }
  return found;
}

// Names, kinds, sizes, times and targets.
inline tree attributes_below(const std::filesystem::path& root) {
  return tree_of(root, [](const std::filesystem::path& path, const struct stat& st) {
    return kind_and_times(st) + (S_ISLNK(st.st_mode) ? " to " + std::filesystem::read_symlink(path).string() : "");
  });
}

// The bytes of every file, and the targets of links; "/" for a directory.
inline tree contents_below(const std::filesystem::path& root) {
  return tree_of(root, [](const std::filesystem::path& path, const struct stat& st) -> std::string {
    if (S_ISLNK(st.st_mode)) return "to " + std::filesystem::read_symlink(path).string();
    return S_ISREG(st.st_mode) ? read_file(path) : "/";
  });
}

inline std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// The first difference between two trees, for a message; empty where there is none. What only `a` has counts only if
// `all` of it must be in `b`.
inline std::string difference(const tree& a, const tree& b, bool all = true) {
  for (const auto& [path, reported] : b)
    if (!a.contains(path))
      return "more than there should be: " + path;
    else if (a.at(path) != reported)
      return "not as it should be: " + path;
  for (const auto& [path, reported] : a)
    if (all && !b.contains(path)) return "absent: " + path;
  return {};
}

}  // namespace ferryfs::test
