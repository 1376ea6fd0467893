#include "tests/doubles/hung_mount.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <unistd.h>
#include <thread>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

void greet(int device, std::uint64_t request) {
  struct {
    fuse_out_header head{};
    fuse_init_out body{};
  } answer;
  answer.head = {sizeof answer, 0, request};
  answer.body.major = FUSE_KERNEL_VERSION, answer.body.minor = FUSE_KERNEL_MINOR_VERSION;
  answer.body.max_write = 4096;
  [[maybe_unused]] const auto written = ::write(device, &answer, sizeof answer);
}

}  // namespace

hung_mount::hung_mount(const std::filesystem::path& over, who_waits how)
    : over_(over), device_(::open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK)), end_(::eventfd(0, EFD_CLOEXEC)) {
  if (!device_) skip("/dev/fuse: " + std::generic_category().message(errno));
  const std::string options =
      "fd=" + std::to_string(device_.get()) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
  if (::mount("hung", over_.c_str(), "fuse.hung", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
    skip("mount: " + std::generic_category().message(errno));
  mounted_ = true;
  if (how == who_waits::can_not_be_killed)
    taker_ = std::jthread{[this](const std::stop_token& stop) { take_requests(stop); }};
}

void hung_mount::take_requests(const std::stop_token& stop) {
  alignas(fuse_in_header) std::array<char, FUSE_MIN_READ_BUFFER + 4096> request;
  while (!stop.stop_requested()) {
    pollfd events[] = {{device_.get(), POLLIN, 0}, {end_.get(), POLLIN, 0}};
    ::poll(events, 2, -1);
    if (::read(device_.get(), request.data(), request.size()) < static_cast<ssize_t>(sizeof(fuse_in_header))) continue;
    fuse_in_header head;
    std::memcpy(&head, request.data(), sizeof head);
    if (head.opcode == FUSE_INIT) {
      greet(device_.get(), head.unique);
    } else if (head.opcode != FUSE_INTERRUPT) {
      if (taken_ == 0) first_ = head.unique;
      ++taken_;
    }
  }
}

void hung_mount::refuse_first() const {
  const fuse_out_header answer{sizeof answer, -EIO, first_};
  [[maybe_unused]] const auto written = ::write(device_.get(), &answer, sizeof answer);
}

void hung_mount::detach() {
  if (std::exchange(mounted_, false)) ::umount2(over_.c_str(), MNT_DETACH);
}

void hung_mount::end() {
  detach();
  if (taker_.joinable()) {
    taker_.request_stop();
    ::eventfd_write(end_.get(), 1);
    taker_.join();
  }
  device_.reset();
}

}  // namespace ferryfs::test
