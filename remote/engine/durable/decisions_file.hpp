// DESTINATION/.ferryfs/decisions: a line for each decision (index/model/decision_line.hpp), in the order in which they
// were made. It outlives the index, which can be made again with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ferryfs::remote {

// Appends `text`, of whole lines, behind the first `known` bytes, and makes it durable. The part of it that an
// append which was cut off has left there is not written twice. Returns how long the file is then. Throws
// std::system_error.
std::uint64_t append_decisions(const std::string& path, std::uint64_t known, std::string_view text);

// Calls `each` with the lines between two offsets, without their newlines, and with the offset behind each. What
// has no newline at the end of the file is none. Throws std::system_error; a file that is not there has none.
void read_decisions(const std::string& path, std::uint64_t from, std::uint64_t to,
                    const std::function<void(const std::string& line, std::uint64_t end)>& each);

// Bytes; 0: it is not there.
std::uint64_t length_of_decisions(const std::string& path);

}  // namespace ferryfs::remote
