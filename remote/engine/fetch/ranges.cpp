#include "remote/engine/fetch/ranges.hpp"

#include <algorithm>

namespace ferryfs::remote {

void ranges::add(std::uint64_t from, std::uint64_t to) {
  if (from >= to) return;
  auto at = parts_.upper_bound(from);
  if (at != parts_.begin() && std::prev(at)->second >= from) --at;
  while (at != parts_.end() && at->first <= to) {
    from = std::min(from, at->first);
    to = std::max(to, at->second);
    at = parts_.erase(at);
  }
  parts_.emplace(from, to);
}

bool ranges::covers(std::uint64_t from, std::uint64_t to) const { return !first_gap(from, to); }

std::optional<ranges::gap> ranges::first_gap(std::uint64_t from, std::uint64_t to) const {
  auto at = parts_.upper_bound(from);
  if (at != parts_.begin()) from = std::max(from, std::prev(at)->second);
  if (from >= to) return std::nullopt;
  return gap{from, at == parts_.end() ? to : std::min(to, at->first)};
}

}  // namespace ferryfs::remote
