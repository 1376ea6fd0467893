// A pause of a thread that may be asked to end.
#pragma once

#include <chrono>
#include <stop_token>

namespace ferryfs {

// Returns when `time` has passed, or at once when a stop is asked for.
void sleep_for(const std::stop_token& stop, std::chrono::nanoseconds time);

}  // namespace ferryfs
