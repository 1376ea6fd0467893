#include "index/query/refused.hpp"

#include <algorithm>
#include <utility>

#include "index/base/path.hpp"
#include "index/query/set.hpp"

namespace ferryfs::index {

std::vector<refused_path> refused_paths(reader& r) {
  std::vector<refused_path> all;
  r.refusals([&](inode directory, refused_name&& n) {
    const auto path = r.path(directory);
    if (path) all.push_back({join(*path, n.name), directory, std::move(n)});
  });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return all;
}

void list_refused(reader& r, std::string_view below,
                  const std::function<bool(std::string_view path, std::uint64_t size)>& each) {
  auto names = refused_paths(r);
  std::erase_if(names, [&](const refused_path& n) { return !is_at_or_below(n.path, below); });
  auto next = names.begin();
  bool goes_on = true;
  const auto names_before = [&](std::string_view path) {
    for (; goes_on && next != names.end() && (path.empty() || next->path < path); ++next) goes_on = each(next->path, 0);
  };
  list(r, set::refused, below, [&](std::string_view path, const listed_picture& p) {
    names_before(path);
    return goes_on = goes_on && each(path, p.size);
  });
  names_before("");
}

}  // namespace ferryfs::index
