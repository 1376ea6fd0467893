#include "index/base/serial_executor.hpp"

#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote {

serial_executor::serial_executor(const char* name)
    : name_(name), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void serial_executor::post(std::function<void()> work) {
  {
    const std::lock_guard lock{mutex_};
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void serial_executor::run(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (wake_.wait(lock, stop, [&] { return !queue_.empty(); }) || !queue_.empty()) {
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    contain(name_, work);
    work = nullptr;  // what it holds is freed outside the lock
    lock.lock();
  }
}

}  // namespace ferryfs::remote
