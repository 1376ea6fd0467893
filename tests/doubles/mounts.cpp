#include "tests/doubles/mounts.hpp"

#include <sys/mount.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/doubles/process.hpp"

namespace ferryfs::test {
namespace {

// proc(5): space, tab, newline and backslash stand as three octal digits.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(at + 1, 3), nullptr, 8));
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

bool is_below(const std::filesystem::path& path, const std::filesystem::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

void detach(const std::filesystem::path& point) {
  if (::umount2(point.c_str(), MNT_DETACH) == 0) return;
  run({"fusermount3", "-u", "-z", point.string()});
}

}  // namespace

std::vector<mount_entry> mounts_below(const std::filesystem::path& directory) {
  std::vector<mount_entry> found;
  std::ifstream mountinfo("/proc/self/mountinfo");
  for (std::string line; std::getline(mountinfo, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point, word, type;
    fields >> id >> parent >> device >> root >> point;
    while (fields >> word && word != "-") {
    }
    fields >> type;
    if (mount_entry entry{unescaped(point), type}; is_below(entry.point, directory)) found.push_back(std::move(entry));
  }
  return found;
}

bool is_mounted(const std::filesystem::path& point) {
  const auto found = mounts_below(point);
  return std::any_of(found.begin(), found.end(), [&](const mount_entry& entry) { return entry.point == point; });
}

std::size_t detach_below(const std::filesystem::path& directory, std::size_t keep) {
  auto found = mounts_below(directory);
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(std::min(keep, found.size())));
  std::for_each(found.rbegin(), found.rend(), [](const mount_entry& entry) { detach(entry.point); });
  return found.size();
}

}  // namespace ferryfs::test
