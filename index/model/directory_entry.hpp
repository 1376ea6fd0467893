// A name of a listing, with its attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "index/model/entry.hpp"

namespace ferryfs::index {

enum class which { source, destination };

// One name of a listing. Names are valid (see valid_name).
struct listed {
  std::string name;
  side attributes;
  std::string target;  // of a symbolic link
  std::optional<std::uint32_t> uid, gid;
};

}  // namespace ferryfs::index
