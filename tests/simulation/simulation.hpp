// One seed: a migration from its first start to rest, with a person at work on both sides, crashes, and a model that
// watches. All on one thread.
#pragma once

#include <cstdint>
#include <string>

namespace ferryfs::test {

struct simulation_options {
  bool prints = false;
  bool crashes = true;
  bool fails = false;   // calls of the disk fail while the person works
  unsigned steps = 36;  // of the person, in all
};

struct simulation_result {
  std::string problem;  // empty: none
  unsigned steps = 0;   // that the person made
  unsigned lives = 0;   // processes, one after the other
  std::uint64_t hash = 0;
  std::uint64_t disk_calls = 0;
};

// Once, before the first.
void prepare_simulation();
// Throws nothing that the engine threw: that is its problem. What a process that crashes leaves in memory is not freed
// before this process ends: some hundred kilobytes each.
simulation_result simulate(std::uint64_t seed, const simulation_options& o);

}  // namespace ferryfs::test
