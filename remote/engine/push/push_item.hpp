// One picture or link that a push is to send.
#pragma once

#include <optional>
#include <string>

#include "index/model/entry.hpp"

namespace ferryfs::remote {

struct push_item {
  entry row;
  std::string path, target;            // here, and on the source
  std::optional<file_facts> replaces;  // the file of the source that it may replace
  unsigned connection_losses = 0;
  unsigned changes = 0;  // how often it changed here while it was sent
};

}  // namespace ferryfs::remote
