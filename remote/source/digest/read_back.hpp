// The digest of a file that its source does not compute: it is read back for it.
#pragma once

#include <string>

#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// As archive::digest, by the archive's own stat and read, in the background lane. `done` is called on its threads.
void digest_by_reading(archive& source, const std::string& path, archive::digest_callback done);

}  // namespace ferryfs::remote
