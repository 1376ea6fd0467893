#include "index/base/exception_barrier.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <map>

#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"

namespace ferryfs {

std::string text_of(const std::exception_ptr& e) noexcept {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

void log_once(const std::string& line) noexcept {
  constexpr std::chrono::minutes quiet_time{1};
  constexpr std::size_t most_kept = 256;  // lines
  static ferryfs::mutex mutex{lock_level::log};
  static std::map<std::string, std::chrono::steady_clock::time_point> logged GUARDED_BY(mutex);
  try {
    {
      const auto now = steady_now();
      const lock held{mutex};
      if (logged.size() > most_kept) logged.clear();
      const auto [at, is_new] = logged.try_emplace(line, now);
      if (!is_new && now - at->second < quiet_time) return;
      at->second = now;
    }
    spdlog::error("{}", line);
  } catch (...) {  // no memory to log it
  }
}

}  // namespace ferryfs
