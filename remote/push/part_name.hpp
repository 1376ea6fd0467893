// The name under which a picture is sent, until it is whole and proven.
#pragma once

#include <string>
#include <string_view>

namespace ferryfs::remote {

// ".NAME.ferryfs-part"; where that is too long for a name, a shorter one that no other name gets.
std::string part_name(std::string_view name);

// Such a name is never a picture, on either side.
bool is_part_name(std::string_view name) noexcept;

}  // namespace ferryfs::remote
