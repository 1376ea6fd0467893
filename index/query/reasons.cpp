#include "index/query/reasons.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "index/base/path.hpp"
#include "index/query/refused.hpp"
#include "index/query/set.hpp"

namespace ferryfs::index {
namespace {

std::string words_of(const entry& e) { return e.error.empty() ? std::string(text_of(e.reason)) : e.error; }

void list_refused_reasons(reader& r, std::string_view below, const on_reason& each) {
  std::unordered_map<std::string, std::string> of_names;
  for (auto& n : refused_paths(r)) of_names.emplace(std::move(n.path), std::move(n.refused.reason));
  list_refused(r, below, [&](std::string_view path, std::uint64_t size) {
    const auto name = of_names.find(std::string(path));
    if (name != of_names.end()) return each(path, size, name->second);
    const auto link = r.at(path);
    return each(path, size, link ? words_of(*link) : "");
  });
}

void list_unlisted_reasons(reader& r, std::string_view below, const on_reason& each) {
  std::vector<unlisted> directories;
  r.unlisted_directories([&](unlisted&& u) { return directories.push_back(std::move(u)), true; });
  std::vector<std::pair<std::string, std::string>> all;
  for (auto& u : directories)
    if (auto path = r.path(u.directory); path && is_at_or_below(*path, below))
      all.emplace_back(*std::move(path), u.text.empty() ? "not scanned yet" : std::move(u.text));
  std::sort(all.begin(), all.end());
  for (const auto& [path, reason] : all)
    if (!each(path, 0, reason)) return;
}

}  // namespace

bool has_reasons(std::string_view which) noexcept {
  return which == "failed" || which == "refused" || which == "unlisted";
}

void list_reasons(reader& r, std::string_view which, std::string_view below, const on_reason& each) {
  if (which == "refused") return list_refused_reasons(r, below, each);
  if (which == "unlisted") return list_unlisted_reasons(r, below, each);
  walk(r, set::failed, below,
       [&](const std::string& path, const entry& e) { return each(path, size_in(set::failed, e), words_of(e)); });
}

}  // namespace ferryfs::index
