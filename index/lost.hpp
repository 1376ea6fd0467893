// Pictures that left the source before they were fetched: nobody has them any more, and they are not forgotten.
#pragma once

#include <cstdint>
#include <string>

#include "index/entry.hpp"

namespace ferryfs::index {

class transaction;

struct loss {
  std::string path;      // in the view
  std::uint64_t size;    // bytes, as the source last showed it
  std::int64_t mtime;    // nanoseconds since 1970, as the source last showed it
  std::int64_t noticed;  // seconds since 1970: the scan that missed it
};

struct losses {
  std::int64_t files, bytes;
};

// The source's copy of `e` went. Enters it as lost if it was a picture to be fetched, with no bytes of it here.
void record_loss(transaction& t, const entry& e);

}  // namespace ferryfs::index
