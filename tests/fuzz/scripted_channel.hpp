// The other end of every ssh::channel of a target: a function that is asked for bytes, and gets those that were sent.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace ferryfs::fuzz {

struct other_end {
  std::function<void(std::span<const std::byte>)> sent;
  // At most that many bytes; none: nothing now. May throw, as a stream that has ended does.
  std::function<std::string(std::size_t at_most)> asked;
  // The client waits for bytes, or for as long.
  std::function<void(std::chrono::milliseconds)> waited;
};
// Of the channels that are made and used from now on.
void connect_to(other_end* end);

}  // namespace ferryfs::fuzz
