#include "index/model/link_rules.hpp"

#include <algorithm>
#include <array>

namespace ferryfs::index {
namespace {

constexpr std::array<std::string_view, 3> words{"inside", "all", "none"};

}  // namespace

std::optional<link_policy> link_policy_named(std::string_view word) noexcept {
  const auto at = std::find(words.begin(), words.end(), word);
  return at == words.end() ? std::nullopt : std::optional(static_cast<link_policy>(at - words.begin()));
}

std::string_view name_of(link_policy p) noexcept { return words.at(static_cast<std::size_t>(p)); }

}  // namespace ferryfs::index
