// Names that a file system takes for the same (vfat, NTFS, CIFS, ext4 with casefold): "A" and "a", two forms of "ä".
#pragma once

#include <optional>
#include <string>

namespace ferryfs::remote {

// The entry of the open directory (O_PATH will do) that the file system finds as `name`, if its own name has other
// bytes. Nothing: `name` itself stands there, or nothing does. Reads the whole directory in the first case.
std::optional<std::string> look_alike(int directory, const std::string& name);

// The same of each part of a path below `root`; the path up to the part that has another name.
std::optional<std::string> look_alike_in(int root, const std::string& path);

}  // namespace ferryfs::remote
