// Whether what is missing still comes by itself, or a person, or the source, has to do something first.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "fs/report/status.hpp"

namespace ferryfs::fs {

struct standstill {
  std::vector<std::string> reasons;  // what is against it, with what to do; empty: more may come by itself
  std::chrono::seconds to_last{0};   // for how long it has to look like that until it is believed
};

// Judges an archive that is not complete by its status.
standstill standstill_of(const json& status);

}  // namespace ferryfs::fs
