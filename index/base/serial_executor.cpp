#include "index/base/serial_executor.hpp"

#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote {

serial_executor::serial_executor(const char* name)
    : name_(name), thread_(name, [this](const std::stop_token& stop) { run(stop); }) {}

void serial_executor::post(std::function<void()> work) {
  {
    const lock held{mutex_};
    queue_.push_back(std::move(work));
  }
  has_work_.notify_one();
}

void serial_executor::run(const std::stop_token& stop) {
  lock held{mutex_};
  while (has_work_.wait(held, stop, [&]() REQUIRES(mutex_) { return !queue_.empty(); }) || !queue_.empty()) {
    auto work = std::move(queue_.front());
    queue_.pop_front();
    held.unlock();
    contain(name_, work);
    work = nullptr;  // frees what the item holds, outside the lock
    held.relock();
  }
}

}  // namespace ferryfs::remote
