// The capabilities of the destination's file system. Found out once, by trying, in a directory of ferryfs's own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ferryfs::remote {

struct capabilities {
  bool rename_no_replace = true;
  bool rename_exchange = true;
  bool hard_links = true;
  bool symbolic_links = true;
  bool keeps_case = true;       // "a" and "A" are two names
  bool keeps_forms = true;      // so are the composed and the decomposed form of "ä"
  bool keeps_names = true;      // a name is listed with the bytes that it was given
  bool modes = true;            // permission bits stay as they are set
  bool owners = true;           // files can be given the owner and the group of the destination's directory
  bool user_attributes = true;  // extended attributes, user.*
  bool shared_memory = true;    // mmap(MAP_SHARED) for writing
  bool tells_space = true;
  // Times that stay as they are set: seconds since 1970, and in steps of so many nanoseconds.
  std::int64_t earliest = -62'135'596'800, latest = 253'402'300'799;
  std::int64_t time_step = 1;

  // Several names may lead to one file, or to another one than was named.
  bool folds_names() const noexcept { return !keeps_case || !keeps_forms || !keeps_names; }
  bool operator==(const capabilities&) const = default;
};

// Tries all of them but `owners` in the open directory, which nobody else works in; leaves nothing behind. One that
// can't be tried (no space) counts as there. Throws nothing.
capabilities probe(int directory) noexcept;

// The capabilities that are lacking but for `owners`, and what follows from each, in a few words.
std::vector<std::string> lacks(const capabilities& c);

}  // namespace ferryfs::remote
