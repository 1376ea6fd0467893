// SOURCE, opened: an SFTP archive or a local directory.
#pragma once

#include <memory>

#include "remote/archive.hpp"
#include "remote/settings.hpp"

namespace ferryfs::remote {

// Connects once and looks at the root. Where the source is unreachable now, its state() says why. Throws
// ferryfs::error: usage for a malformed SOURCE, source for one that does not exist or is no directory.
std::unique_ptr<archive> open_archive(const settings& s);

// True where `a` lies below `b`, or is it. Both are directories that exist, or whose parent does.
bool is_below(const std::string& a, const std::string& b);

}  // namespace ferryfs::remote
