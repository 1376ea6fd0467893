// An archive's settings: the options of the command line that belong to it. Remembered by the index.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "index/model/link_rules.hpp"
#include "remote/source/source_settings.hpp"

namespace ferryfs::remote {

struct settings : source_settings {
  std::uint64_t limit = 0;  // bytes a second for the background; 0: none
  std::vector<std::string> exclude;
  std::string profile = "generic";
  std::chrono::seconds rescan{300};       // 0: never
  std::uint64_t min_free = 256ULL << 20;  // bytes
  unsigned keep_reports = 100;
  std::chrono::seconds quiet{10};  // between two looks at a picture that may still be written on the source
  unsigned believe_loss = 10;      // percent of the source's pictures that may be gone at once
  index::link_policy links = index::link_policy::inside;
  std::string mountpoint;  // the last one, without links in it; empty: none yet
};

}  // namespace ferryfs::remote
