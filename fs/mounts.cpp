#include "fs/mounts.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace ferryfs::fs {
namespace {

// Blanks, newlines and backslashes stand as \ooo.
std::string unescaped(const std::string& field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      text += static_cast<char>(std::stoi(field.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

struct mounted {
  std::string mountpoint, device;
};

std::vector<mounted> all_in(const std::string& mountinfo) {
  std::vector<mounted> found;
  std::istringstream lines{mountinfo};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() > 5 && dash != fields.end() && dash + 1 != fields.end() && dash[1] == "fuse.ferryfs")
      found.push_back({unescaped(fields[4]), fields[2]});
  }
  return found;
}

}  // namespace

std::vector<std::string> mountpoints_in(const std::string& mountinfo) {
  std::vector<std::string> found;
  for (auto& m : all_in(mountinfo)) found.push_back(std::move(m.mountpoint));
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::string device_in(const std::string& mountinfo, const std::string& mountpoint) {
  std::string device;
  for (auto& m : all_in(mountinfo))
    if (m.mountpoint == mountpoint) device = std::move(m.device);  // the last one stands over those before
  return device;
}

std::vector<std::string> mountpoints() {
  std::ifstream in{"/proc/self/mountinfo"};
  return mountpoints_in({std::istreambuf_iterator<char>(in), {}});
}

}  // namespace ferryfs::fs
