// Taking a deletion back. Blocks until it is in the index; the source is not asked.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"

namespace ferryfs::remote {

struct undelete_result {
  bool known = false;            // something was deleted there
  std::uint64_t files = 0;       // pictures that are gaps again
  std::uint64_t name_taken = 0;  // stay deleted: another has their name
  std::string first_name_taken;
};

// Takes back the deletions at or below `path`, which is relative to the archive's root and as the source has it.
undelete_result undelete_below(index::writer& index, index::readers& readers, const std::string& path,
                               const std::stop_token& stop);

}  // namespace ferryfs::remote
