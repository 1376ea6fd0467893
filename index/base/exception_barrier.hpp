// The top frame of a thread, and of each callback: an exception ends the item at work, and neither the thread nor the
// process.
#pragma once

#include <exception>
#include <string>

#include "index/base/thread_safety.hpp"

namespace ferryfs {

// The exception's own text, for the log and for callers. `e` holds an exception.
std::string text_of(const std::exception_ptr& e) noexcept;

// Logs an error, unless the same line was logged within the last minute: a damaged page of the index fails thousands of
// items. Threads: any.
void log_once(const std::string& line) noexcept;

// Runs one item. Returns what it threw, which is logged with `where` (as "landing"), or nothing. An item may say which
// locks its caller holds (`[&]() REQUIRES(mutex_) { … }`): the analysis is off here, as it does not know that the item
// runs where it is written.
template <typename Item>
std::exception_ptr contain(const char* where, Item&& item) noexcept NO_THREAD_SAFETY_ANALYSIS {
  try {
    item();
    return nullptr;
  } catch (...) {
    const auto thrown = std::current_exception();
    log_once(std::string(where) + ": " + text_of(thrown));
    return thrown;
  }
}

}  // namespace ferryfs
