// The top frame of a thread, and of each call back into somebody else's code: an exception ends the item at work, and
// neither the thread nor the process.
#pragma once

#include <exception>
#include <string>

namespace ferryfs {

// What it says, for the log and for those who wait. `e` holds an exception.
std::string text_of(const std::exception_ptr& e) noexcept;

// Logs an error, unless the same line was logged within the last minute: a damaged page of the index fails thousands of
// items. Threads: any.
void log_once(const std::string& line) noexcept;

// Runs one item. Returns what it threw, which is logged with `where` (as "landing"), or nothing.
template <typename Item>
std::exception_ptr contain(const char* where, Item&& item) noexcept {
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
