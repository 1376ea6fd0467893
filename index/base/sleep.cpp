#include "index/base/sleep.hpp"

#include "index/base/mutex.hpp"

namespace ferryfs {

void sleep_for(const std::stop_token& stop, std::chrono::nanoseconds time) {
  mutex unshared;
  condition never;
  lock held{unshared};
  never.wait_for(held, stop, time, [] { return false; });
}

}  // namespace ferryfs
