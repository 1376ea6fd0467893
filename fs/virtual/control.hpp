// What is written into .ferryfs/control: pause, resume, rescan, limit RATE, fetch PATH, push [--overwritten] PATH.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "remote/migration.hpp"

namespace ferryfs::fs {

class control {
 public:
  explicit control(remote::migration& m) : migration_(m) {}
  ~control();

  struct result {
    int error = 0;     // errno, or 0
    std::string text;  // an answer for who reads the file it was written to; one line
  };
  // Runs a command, and calls back once, on any thread, when it is done; what takes long does not block.
  void run(std::string_view command, std::function<void(const result&)> done);

 private:
  result fetch(const std::string& path, const std::stop_token& stop);
  result push(std::string argument, const std::stop_token& stop);
  // Runs `work` on a thread of its own, and tells what it returned.
  void start(std::function<result(const std::stop_token&)> work, std::function<void(const result&)> done);

  remote::migration& migration_;
  std::mutex mutex_;
  std::list<std::jthread> running_;  // joined when the next begins, or at the end
  std::list<std::thread::id> ended_;
};

}  // namespace ferryfs::fs
