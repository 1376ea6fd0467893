// FUSE passthrough, as libfuse and the kernel have it; state/passthrough_table.hpp decides about it.
#pragma once

#include <fuse_lowlevel.h>

#include "fs/mount/state/passthrough_table.hpp"

namespace ferryfs::fs {

// At INIT: asks the kernel for it, unless it is forbidden. Without CAP_SYS_ADMIN the kernel allows nobody to use it.
void ask_for_passthrough(passthrough_table& table, fuse_conn_info* conn);

// Hands local files to the kernel, and takes them back, by `req`; null where the kernel did not take the open, as its
// connection ends.
backing_files backing_by(fuse_req_t req);

// Says in the answer of an open how it is open.
void tell_mode(fuse_file_info* fi, const open_mode& mode);

}  // namespace ferryfs::fs
