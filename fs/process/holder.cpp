#include "fs/process/holder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;

constexpr auto grace_period = 3s;  // a mount that was just taken off has its index to close

constexpr std::string_view pid_mark = "pid ", device_mark = ", device ", mount_mark = ", mounted at ";
constexpr std::size_t most_named = 3;  // namespaces, in a line

// "pid N", "pid N, mounted at M" or "pid N, device D, mounted at M"; M may hold anything.
holder parse(std::string_view text) {
  holder h;
  if (const auto at = text.find(mount_mark); at != std::string_view::npos) {
    h.mountpoint = text.substr(at + mount_mark.size());
    text = text.substr(0, at);
  }
  if (const auto at = text.find(device_mark); at != std::string_view::npos) {
    h.device = text.substr(at + device_mark.size());
    text = text.substr(0, at);
  }
  if (text.starts_with(pid_mark)) std::from_chars(text.data() + pid_mark.size(), text.data() + text.size(), h.pid);
  return h;
}

std::string lock_text(int fd) {
  std::string text(4400, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::pread(fd, text.data(), text.size(), 0))));
  return text;
}

// The archive's holder. While that `may_end`, its end is waited for, no longer than the grace period.
template <typename MayEnd>
std::optional<holder> holder_after(const std::string& destination, MayEnd&& may_end) {
  const auto until = std::chrono::steady_clock::now() + grace_period;
  auto h = holder_of(destination);
  for (; h && may_end(*h) && std::chrono::steady_clock::now() < until; h = holder_of(destination))
    std::this_thread::sleep_for(50ms);
  return h;
}

// Its mount is nowhere: it was taken off, and ferryfs is about to end.
bool is_ending(const holder& h) {
  return !h.mountpoint.empty() && mountpoint_here(h).empty() && (h.device.empty() || namespaces_with(h.device).empty());
}

std::string name_of(const holder& h) { return h.pid == 0 ? "another ferryfs" : fmt::format("ferryfs, pid {}", h.pid); }

std::string end_of(const holder& h) {
  return h.pid == 0 ? "end that ferryfs" : fmt::format("end ferryfs with kill {}", h.pid);
}

// Whether it would have been found in another mount namespace, if it stood in any.
bool would_be_seen(const holder& h) {
  std::error_code problem;
  return h.pid != 0 && std::filesystem::exists(fmt::format("/proc/{}", h.pid), problem) && may_look_into_all();
}

std::string elsewhere_text(const holder& h) {
  if (h.device.empty())
    return fmt::format("{}, is being mounted at {}; wait for it, or {}", name_of(h), printable(h.mountpoint),
                       end_of(h));
  const auto others = namespaces_with(h.device);
  if (others.empty() && would_be_seen(h))
    return fmt::format("{}: its mount at {} was unmounted and it is ending; wait for it, or {}", name_of(h),
                       printable(h.mountpoint), end_of(h));
  const std::string begin =
      fmt::format("{}: its mount at {} can't be seen from here", name_of(h), printable(h.mountpoint));
  if (others.empty()) return fmt::format("{}, nor who holds it; {}", begin, end_of(h));
  std::string named;
  for (std::size_t i = 0; i < std::min(others.size(), most_named); ++i)
    named += fmt::format("{}{} (pid {})", i == 0 ? "" : ", ", printable(others[i].command), others[i].pid);
  if (others.size() > most_named) named += fmt::format(" and {} more", others.size() - most_named);
  return fmt::format(
      "{}, but is still there in the mount namespace of {}; unmount it there (nsenter -t {} -m umount {}), or {}",
      begin, named, others[0].pid, printable(others[0].mountpoint), end_of(h));
}

}  // namespace

std::optional<holder> holder_of(const std::string& destination) {
  const std::string path = fmt::format("{}/{}/lock", destination, own_directory);
  const unique_fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd || ::flock(fd.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return std::nullopt;
  return parse(lock_text(fd.get()));
}

std::optional<holder> lasting_holder_of(const std::string& destination) { return holder_after(destination, is_ending); }

void tell_device(const std::string& lock, const std::string& mountpoint) {
  const std::string device = device_at(mountpoint);
  const unique_fd fd{::open(lock.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (device.empty() || !fd) return;
  const std::string text =
      fmt::format("{}{}{}{}{}{}", pid_mark, ::getpid(), device_mark, device, mount_mark, mountpoint);
  // Longer than the text that stands there, so a process that reads meanwhile finds one or the other. A full disk keeps
  // the old one.
  if (::pwrite(fd.get(), text.data(), text.size(), 0) < 0) return;
}

std::string mountpoint_here(const holder& h) {
  if (h.mountpoint.empty()) return "";
  const auto here = mountpoints();
  const auto found = std::find_if(here.begin(), here.end(), [&](const std::string& m) {
    return h.device.empty() ? m == h.mountpoint : device_at(m) == h.device;
  });
  return found == here.end() ? "" : *found;
}

std::string text_of(const holder& h) {
  if (h.mountpoint.empty()) return fmt::format("{}; wait for it to end, or {}", name_of(h), end_of(h));
  if (const auto at = mountpoint_here(h); !at.empty())
    return fmt::format("{}, mounted at {}; umount it first", name_of(h), printable(at));
  return elsewhere_text(h);
}

nlohmann::ordered_json json_of(const holder& h) {
  nlohmann::ordered_json j{{"pid", h.pid}, {"mountpoint", printable(h.mountpoint)}};
  j["elsewhere"] = nlohmann::ordered_json::array();
  if (!h.device.empty())
    for (const auto& n : namespaces_with(h.device))
      j["elsewhere"].push_back(
          {{"pid", n.pid}, {"command", printable(n.command)}, {"mountpoint", printable(n.mountpoint)}});
  j["why"] = text_of(h);
  return j;
}

void refuse_in_use(const std::string& destination) {
  const std::string own = fmt::format("{}/{}/status.json", destination, own_directory);
  struct stat st {};
  if (::stat(own.c_str(), &st) == 0)
    throw error(exit_code::local, fmt::format("{}: the archive is in use (ferryfs is mounted there, and copies what is "
                                              "missing by itself); umount it first",
                                              printable(destination)));
  const auto h = holder_after(destination, [](const holder&) { return true; });
  if (h)
    throw error(exit_code::local, fmt::format("{}: the archive is in use ({})", printable(destination), text_of(*h)));
}

}  // namespace ferryfs::fs
