// A call that changes a name in the directory: make_directory, make_link, rename, remove.
#pragma once

#include "remote/source/local/file_call.hpp"

namespace ferryfs::remote {

// Makes the change below the directory `root`, and shows what then stands under the path in `call.shown`. Returns 0 or
// errno.
int change_name(int root, file_call& call);

}  // namespace ferryfs::remote
