// The name under which a picture is sent, until it is whole and proven.
#pragma once

#include <string>
#include <string_view>

namespace ferryfs::remote {

// ".NAME.OWNER.ferryfs-part"; where that is too long for a name, a shorter one that no other name gets. `owner` is the
// archive that sends it: what another one left under such a name is never gone on with.
std::string temporary_name(std::string_view name, std::string_view owner);

// Such a name is never a picture, on either side.
bool is_temporary_name(std::string_view name) noexcept;

}  // namespace ferryfs::remote
