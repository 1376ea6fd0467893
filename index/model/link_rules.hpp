// Which symbolic links of the source are taken over without being asked for one by one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferryfs::index {

enum class link_policy {
  inside,  // those that lead nowhere but into the archive
  all,
  none,
};
// The policy by its word on the command line; nothing: no such word.
std::optional<link_policy> link_policy_named(std::string_view word) noexcept;
std::string_view name_of(link_policy) noexcept;

struct link_rules {
  link_policy policy = link_policy::inside;
  std::vector<std::string> roots = {};  // absolute paths that the archive stands under
};

}  // namespace ferryfs::index
