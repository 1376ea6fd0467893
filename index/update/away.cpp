#include "index/update/away.hpp"

#include "index/base/path.hpp"
#include "index/db/path_walk.hpp"

namespace ferryfs::index {
namespace {

// Nothing: no directory of the view holds that path any more.
std::optional<location> location_of(transaction& t, const std::string& path) {
  return locate(path, [&](inode directory, std::string_view name) {
    const auto e = t.child(directory, name);
    return e && e->is_directory() ? std::optional(e->ino) : std::nullopt;
  });
}

bool hides_something(transaction& t, inode directory) {
  bool any = false;
  t.hidden_children(directory, "", [&](entry&&) { return !(any = true); });
  return any;
}

void forget(transaction& t, const entry& away) {
  if (away.origin)
    if (const auto moved = t.by_inode(*away.origin)) t.erase(*moved);
  t.erase(away);
}

std::optional<location> location_in_view(transaction& t, const entry& away) {
  return away.parent == 0 ? location_of(t, away.name) : std::optional(location{away.parent, away.name});
}

inode come_back_at(transaction& t, const entry& away, entry after) {
  after.state = away.state == state::away_skipped ? state::skipped : state::missing;
  t.update(away, after);
  if (t.has_lost()) t.remove_lost(t.path(after.ino).value_or(""));
  t.note({change::what::dentry, after.parent, after.name});
  t.note({change::what::listing, after.parent, {}});
  return after.ino;
}

// The source's copy, of which `away` tells, stands against what took its name here.
void contend(transaction& t, const entry& here, const entry& moved, const entry& away) {
  if (here.source) {
    entry shadowed = moved;
    shadowed.source = away.source, shadowed.target = away.target, shadowed.state = state::shadowed;
    return t.update(moved, shadowed);
  }
  t.erase(moved);
  entry after = here;
  after.source = away.source;
  after.state = classify(after);
  if (S_ISLNK(away.source->mode) && here.target != away.target) after.state = state::conflict;
  t.update(here, after);
}

// Its directory in the view does not come.
inode bring_back_under_source_name(transaction& t, const entry& away, const entry& moved) {
  const std::string path = join(t.path(moved.parent).value_or(""), moved.name);
  t.promise(moved.parent);
  if (t.has_lost()) t.remove_lost(away.name);  // as it was called when it went
  if (const auto here = t.child(moved.parent, moved.name)) {
    t.decide("reopened", path);
    t.erase(away);
    contend(t, *here, moved, away);
    const bool both_directories = !here->source && here->is_directory() && S_ISDIR(away.source->mode);
    return both_directories ? here->ino : 0;
  }
  t.decide("renamed", away.name, path);
  t.erase(moved);
  entry after = away;
  after.parent = moved.parent, after.name = moved.name, after.origin.reset();
  return come_back_at(t, away, after);
}

struct waiting {
  entry away, moved;
};

std::vector<waiting> all_waiting(transaction& t) {
  std::vector<waiting> all;
  t.hidden_children(0, "", [&](entry&& e) {
    if (!is_away(e.state) || !e.origin) return true;
    auto moved = t.by_inode(*e.origin);
    if (moved && !has_left(*moved)) all.push_back({std::move(e), *std::move(moved)});
    return true;
  });
  return all;
}

}  // namespace

bool is_decided(transaction& t, const entry& e) {
  if (!e.origin && t.hidden_child(e.parent, e.name)) return false;  // that row says what was decided of the name
  return e.state == state::skipped || e.origin || hides_something(t, e.ino);
}

void put_away(transaction& t, const entry& e) {
  entry after = e;
  after.state = e.state == state::skipped ? state::away_skipped : state::away;
  after.local.reset(), after.listed_mtime.reset();
  after.sha256.clear(), after.fetched = false;
  after.forget_reason();
  if (e.origin) {
    const auto path = t.path(e.ino);
    if (!path) return forget(t, e);
    after.parent = 0, after.name = *path;
    if (const auto earlier = t.hidden_child(0, *path)) forget(t, *earlier);
  }
  t.update(e, after);
}

bool has_place(transaction& t, const entry& away) { return location_in_view(t, away).has_value(); }

inode bring_back(transaction& t, const entry& away, const file_facts& now, const std::string& target) {
  const auto p = location_in_view(t, away);
  if (!p || t.child(p->directory, p->name)) return forget(t, away), 0;
  entry after = away;
  after.parent = p->directory, after.name = p->name;
  after.source = now, after.target = target;
  return come_back_at(t, away, after);
}

void wait_for_place(transaction& t, const entry& away, const file_facts& now, const std::string& target) {
  entry after = away;
  after.source = now, after.target = target;
  t.update(away, after);
}

std::vector<inode> bring_back_waiting(transaction& t, bool scan_is_whole) {
  std::vector<inode> directories;
  const auto note = [&](inode back, const file_facts& s) {
    if (back != 0 && S_ISDIR(s.mode)) directories.push_back(back);
  };
  bool any = false;
  const auto all = all_waiting(t);
  for (const auto& [away, moved] : all) {
    const auto p = location_in_view(t, away);
    if (!p) continue;
    any = true;
    note(t.child(p->directory, p->name) ? bring_back_under_source_name(t, away, moved)
                                        : bring_back(t, away, *away.source, away.target),
         *away.source);
  }
  if (any || !scan_is_whole) return any && directories.empty() ? bring_back_waiting(t, scan_is_whole) : directories;
  for (const auto& [away, moved] : all) note(bring_back_under_source_name(t, away, moved), *away.source);
  return directories;
}

std::optional<std::string> path_in_view(transaction& t, const entry& e) {
  return is_away(e.state) && e.parent == 0 ? e.name : t.path(e.ino);
}

}  // namespace ferryfs::index
