// `.ferryfs/`, the directory that ferryfs keeps in a destination. Its content decides what ferryfs serves and writes,
// so nobody else may be able to put anything there.
#pragma once

#include <string>

#include "remote/files/unique_fd.hpp"

namespace ferryfs::remote {

// Opens it in the open directory `root`; `shown`: the name of `root` in messages. Throws ferryfs::error (local), with
// the remedy, unless nothing in it is a symbolic link, it belongs to our user or to the owner of `root`, and nobody
// else may enter it.
unique_fd open_private(int root, const std::string& shown);

// The same of a destination that is to be looked at only, by its path; nothing happens where it has none.
void check_private(const std::string& destination);

}  // namespace ferryfs::remote
