// What a simulation did, line by line: two runs of one seed give the same.
#pragma once

#include <cstdint>
#include <string>

namespace ferryfs::test {

class trace {
 public:
  // `prints`: each line, on standard output, with the time of the simulation.
  explicit trace(bool prints) : prints_(prints) {}

  void add(const std::string& line);
  std::uint64_t hash() const noexcept { return hash_; }

 private:
  const bool prints_;
  std::uint64_t hash_ = 14695981039346656037ULL;  // FNV-1a
};

}  // namespace ferryfs::test
