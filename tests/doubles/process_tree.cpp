#include "tests/doubles/process_tree.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "tests/doubles/files.hpp"
#include "tests/doubles/wait_until.hpp"

namespace ferryfs::test {
namespace {

struct stat_fields {
  char state = 0;
  pid_t parent = 0;
};

// Empty where the process is gone, even if it goes between open and read.
std::string proc_file(pid_t pid, const char* name) {
  try {
    return read_file("/proc/" + std::to_string(pid) + '/' + name);
  } catch (const std::system_error&) {
    return {};
  }
}

stat_fields stat_of(pid_t pid) {
  stat_fields fields;
  const auto text = proc_file(pid, "stat");
  const auto name_end = text.rfind(')');  // the name itself may hold blanks and brackets
  if (name_end != std::string::npos) std::istringstream(text.substr(name_end + 1)) >> fields.state >> fields.parent;
  return fields;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size()) found.push_back(pid);
  }
  return found;
}

bool is_gone(pid_t pid) {
  const char state = state_of(pid);
  return state == 0 || state == 'Z' || state == 'X';
}

bool stands(pid_t pid) { return state_of(pid) == 'T' || is_gone(pid); }

}  // namespace

char state_of(pid_t pid) { return stat_of(pid).state; }

bool is_dying(pid_t pid) {
  std::istringstream fields(proc_file(pid, "status"));
  constexpr std::uint64_t kill_bit = std::uint64_t{1} << (SIGKILL - 1);
  for (std::string name; fields >> name;) {
    std::uint64_t pending = 0;
    if ((name == "SigPnd:" || name == "ShdPnd:") && fields >> std::hex >> pending && (pending & kill_bit) != 0)
      return true;
  }
  return state_of(pid) == 'Z';  // the first thread is gone, another may hang
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> found;
  for (const pid_t candidate : all_processes()) {
    const auto fields = stat_of(candidate);
    if (fields.parent == pid && fields.state != 'Z') found.push_back(candidate);
  }
  return found;
}

std::vector<pid_t> descendants_of(pid_t pid) {
  auto found = children_of(pid);
  for (std::size_t at = 0; at < found.size(); ++at) {
    const auto next = children_of(found[at]);
    found.insert(found.end(), next.begin(), next.end());
  }
  return found;
}

std::vector<pid_t> bearing(std::string_view variable) {
  const auto bears = [&](pid_t pid) {
    const auto environment = '\0' + proc_file(pid, "environ");
    return environment.find('\0' + std::string(variable) + '\0') != std::string::npos && !is_gone(pid);
  };
  auto found = all_processes();
  std::erase_if(found, [&](pid_t pid) { return !bears(pid); });
  return found;
}

std::string described(pid_t pid) {
  auto command = proc_file(pid, "cmdline");
  std::replace(command.begin(), command.end(), '\0', ' ');
  return std::to_string(pid) + ' ' + command;
}

std::vector<pid_t> freeze_tree(pid_t pid) {
  std::vector<pid_t> stopped;
  const auto stop = [&](pid_t one) {
    if (std::find(stopped.begin(), stopped.end(), one) != stopped.end()) return false;
    ::kill(one, SIGSTOP);
    wait_until([&] { return stands(one); }, std::chrono::seconds(5));
    stopped.push_back(one);
    return true;
  };
  stop(pid);
  // Again until nobody new is found: a process forks until it stands.
  for (bool found_one = true; found_one;) {
    found_one = false;
    for (const pid_t descendant : descendants_of(pid)) found_one |= stop(descendant);
  }
  return stopped;
}

void kill_tree(pid_t pid) {
  for (const pid_t one : freeze_tree(pid)) ::kill(one, SIGKILL);
}

}  // namespace ferryfs::test
