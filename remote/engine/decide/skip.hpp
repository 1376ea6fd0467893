// Accepting gaps, and taking that back. Both block until it is in the index; the source is not asked.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"

namespace ferryfs::remote {

struct skip_result {
  bool known = true;                       // the index has the path
  std::uint64_t files = 0, bytes = 0;      // gaps and refused links that are skipped now
  std::uint64_t lost_pictures = 0;         // pictures that the source had lost, and whose loss is accepted now
  std::uint64_t accepted_directories = 0;  // directories that can't be listed, and need not be
  std::uint64_t refused_names = 0;         // names that can't stand here and count no more
  std::uint64_t unlisted_directories = 0;  // directories whose pictures are not known yet, and so not skipped
};

// Every gap and every loss at or below `path`, relative to the archive's root: missing or failed, links and directories
// as well; and every link that is refused, which stays so.
skip_result skip_below(index::writer& index, index::readers& readers, const std::string& path,
                       const std::stop_token& stop);

// Makes every skipped picture at or below `path` a gap like any other again.
void unskip_below(index::writer& index, index::readers& readers, const std::string& path, const std::stop_token& stop);

}  // namespace ferryfs::remote
