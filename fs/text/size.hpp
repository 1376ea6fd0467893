// Sizes as people write and read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferryfs::fs {

// "500", "20M", "1.5G": powers of 1024, as rsync's --bwlimit and du -h take them. Nothing if it is no size.
std::optional<std::uint64_t> parse_size(std::string_view text);

// "3.7 MiB".
std::string human_size(std::uint64_t bytes);

// "2 h 05 min", "12 s".
std::string human_time(std::chrono::seconds time);

// 58343 -> "58,343".
std::string human_count(std::int64_t n);
// "1 picture", "58,343 pictures".
std::string counted(std::int64_t n, std::string_view one, std::string_view more);

}  // namespace ferryfs::fs
