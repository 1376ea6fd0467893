// A name of a listing, with its attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "index/model/entry.hpp"

namespace ferryfs::index {

enum class side { source, destination };

// One name of a listing. Names are valid (see valid_name).
struct directory_entry {
  std::string name;
  file_facts attributes;
  std::string target;  // of a symbolic link
  std::optional<std::uint32_t> uid, gid;
};

}  // namespace ferryfs::index
