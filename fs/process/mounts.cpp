#include "fs/process/mounts.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <system_error>

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

std::string text_of(const std::string& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>(in), {}};
}

// In the order of their numbers.
std::vector<pid_t> processes() {
  std::vector<pid_t> all;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", problem)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) all.push_back(std::stoi(name));
  }
  std::sort(all.begin(), all.end());
  return all;
}

// Identifies the mount namespace of a process; empty where the process is gone or not ours to look at.
std::string namespace_of(const std::string& process) {
  std::error_code problem;
  return std::filesystem::read_symlink("/proc/" + process + "/ns/mnt", problem).string();
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

std::vector<std::string> mountpoints() { return mountpoints_in(text_of("/proc/self/mountinfo")); }

std::string device_at(const std::string& mountpoint) { return device_in(text_of("/proc/self/mountinfo"), mountpoint); }

std::vector<other_namespace> namespaces_with(const std::string& device) {
  std::vector<other_namespace> found;
  std::set<std::string> seen{namespace_of("self")};
  for (const pid_t pid : processes()) {
    const std::string process = std::to_string(pid);
    if (const auto name = namespace_of(process); name.empty() || !seen.insert(name).second) continue;
    for (auto& m : all_in(text_of("/proc/" + process + "/mountinfo"))) {
      if (m.device != device) continue;
      std::string command = text_of("/proc/" + process + "/comm");
      if (command.ends_with('\n')) command.pop_back();
      found.push_back({pid, std::move(command), std::move(m.mountpoint)});
      break;
    }
  }
  return found;
}

bool may_look_into_all() {
  const auto all = processes();
  if (all.empty() || all.front() != 1) return false;  // /proc hides the processes of others
  return std::none_of(all.begin(), all.end(), [](pid_t pid) {
    std::error_code problem;
    [[maybe_unused]] const auto name =
        std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/mnt", problem);
    return problem == std::errc::permission_denied || problem == std::errc::operation_not_permitted;
  });
}

}  // namespace ferryfs::fs
