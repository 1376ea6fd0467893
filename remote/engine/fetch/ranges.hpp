// A set of byte ranges. Pure arithmetic.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace ferryfs::remote {

class ranges {
 public:
  // Adds [from, to); what touches or overlaps becomes one.
  void add(std::uint64_t from, std::uint64_t to);
  // True if all of [from, to) is in the set; an empty range always is.
  bool covers(std::uint64_t from, std::uint64_t to) const;

  struct gap {
    std::uint64_t from, to;
  };
  // The first part of [from, to) that is not in the set.
  std::optional<gap> first_gap(std::uint64_t from, std::uint64_t to) const;

 private:
  std::map<std::uint64_t, std::uint64_t> parts_;  // start -> end; apart and not touching
};

}  // namespace ferryfs::remote
