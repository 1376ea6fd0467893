// A file system that never answers, as an sshfs or an NFS whose server is gone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <thread>

#include "tests/doubles/descriptor.hpp"

namespace ferryfs::test {

// Mounted over a directory when constructed, off again whatever happens. Skips the test case where there is no FUSE.
class hung_mount {
 public:
  enum class who_waits {
    can_be_killed,     // what is asked stays with the kernel
    can_not_be_killed  // the file system has taken what was asked
  };
  hung_mount(const std::filesystem::path& over, who_waits how);
  ~hung_mount() { end(); }

  // How often something was asked of it, where it takes what is asked.
  std::size_t taken() const { return taken_; }
  // Answers what was asked first, and nothing else: it can't be done.
  void refuse_first() const;
  // The directory below is seen again; calls that wait go on waiting.
  void detach();
  // The same, and who waits gets an error.
  void end();

 private:
  void take_requests(const std::stop_token& stop);

  std::filesystem::path over_;
  bool mounted_ = false;
  std::atomic<std::size_t> taken_ = 0;
  std::atomic<std::uint64_t> first_ = 0;  // the number of that request
  descriptor device_, end_;
  std::jthread taker_;
};

}  // namespace ferryfs::test
