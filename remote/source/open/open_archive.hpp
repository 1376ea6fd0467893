// SOURCE, opened: an SFTP archive or a local directory.
#pragma once

#include <memory>

#include "remote/source/archive.hpp"
#include "remote/source/source_settings.hpp"

namespace ferryfs::remote {

// Makes a local SOURCE absolute, without symbolic links in it. False: its file system does not answer, and links may
// have stayed. Waits for at most io_timeout.
bool locate_source(source_settings& s);

// Connects once and looks at the root. Where the source is unreachable now, its state() says why. Throws
// ferryfs::error: usage for a malformed SOURCE, source for one that does not exist or is no directory. `answers`: as
// locate_source said.
std::unique_ptr<archive> open_archive(const source_settings& s, bool answers = true);

}  // namespace ferryfs::remote
