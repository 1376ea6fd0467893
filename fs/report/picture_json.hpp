// A picture of a list as JSON: {"path":…,"size":…}. A path that is not UTF-8 has U+FFFD where it is not, and stands
// once more, byte for byte, as "path_hex".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ferryfs::fs {

// `more` goes in front, as "\"change\":\"came\",".
std::string picture_json(std::uint64_t size, std::string_view path, std::string_view more = "");
// The `more` for the reason of a failure, which may hold any bytes.
std::string reason_json(std::string_view reason);

}  // namespace ferryfs::fs
