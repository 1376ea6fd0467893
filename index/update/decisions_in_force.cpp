#include "index/update/decisions_in_force.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index/base/path.hpp"
#include "index/update/away.hpp"

namespace ferryfs::index {
namespace {

struct line {
  std::string path;
  state of;
  inode renamed;  // the entry that has its name on the source from this row; 0: none
};

auto depth(const std::string& path) { return std::count(path.begin(), path.end(), '/'); }

}  // namespace

void decide_what_is_in_force(transaction& t) {
  std::vector<line> hidden;
  for (const state s : {state::deleted, state::moved, state::kept_local}) {
    std::vector<entry> rows;
    t.of_state(s, [&](entry&& e) { rows.push_back(std::move(e)); });
    for (const entry& e : rows) {
      const auto moved = t.by_origin(e.ino);
      if (const auto path = source_path_of(t.name, e.ino)) hidden.push_back({*path, s, moved ? moved->ino : 0});
    }
  }
  // The entries below a directory go first, and so by the names that the source has for their directories.
  std::stable_sort(hidden.begin(), hidden.end(),
                   [](const line& a, const line& b) { return depth(a.path) > depth(b.path); });
  std::vector<std::pair<std::string, std::string>> renames;
  for (const line& l : hidden) {
    if (l.of == state::deleted) t.decide("deleted", l.path);
    if (l.of == state::kept_local) t.decide("kept-destination", l.path);
    if (l.of != state::moved || l.renamed == 0) continue;
    const auto renamed = t.by_inode(l.renamed);
    const auto path = renamed ? path_in_view(t, *renamed) : std::nullopt;
    if (!path) continue;
    renames.emplace_back(".ferryfs-rename-" + std::to_string(renames.size() + 1), *path);
    t.decide("renamed", l.path, renames.back().first);
  }
  // And what lies above comes first, to hold the others.
  std::stable_sort(renames.begin(), renames.end(),
                   [](const auto& a, const auto& b) { return depth(a.second) < depth(b.second); });
  for (const auto& [between, path] : renames) t.decide("renamed", between, path);
  std::vector<std::string> skipped;
  for (const state s : {state::skipped, state::away_skipped})
    t.of_state(s, [&](entry&& e) {
      if (auto path = path_in_view(t, e)) skipped.push_back(*std::move(path));
    });
  t.accepted_not_listed([&](inode directory) {
    if (auto path = t.path(directory)) skipped.push_back(*std::move(path));
  });
  t.refused.skipped([&](inode directory, const std::string& name) {
    if (const auto path = t.path(directory)) skipped.push_back(join(*path, name));
  });
  for (const auto& path : skipped) t.decide("skipped", path);
  t.accepted_links([&](inode ino, const std::string& target) {
    if (const auto path = t.path(ino)) t.decide("accepted-link", *path, target);
  });
}

}  // namespace ferryfs::index
