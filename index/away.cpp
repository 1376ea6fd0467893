#include "index/away.hpp"

#include "index/path.hpp"

namespace ferryfs::index {
namespace {

struct place {
  inode directory;
  std::string name;
};

// Nothing: no directory of the view holds that path any more.
std::optional<place> place_of(transaction& t, const std::string& path) {
  place p{root_inode, path};
  for (auto slash = p.name.find('/'); slash != std::string::npos; slash = p.name.find('/')) {
    const auto directory = t.child(p.directory, p.name.substr(0, slash));
    if (!directory || !directory->is_directory()) return std::nullopt;
    p = {directory->ino, p.name.substr(slash + 1)};
  }
  return p;
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

}  // namespace

bool is_decided(transaction& t, const entry& e) {
  if (!e.origin && t.hidden_child(e.parent, e.name)) return false;  // that row says what was decided of the name
  return e.state == state::skipped || e.origin || hides_something(t, e.ino);
}

void put_away(transaction& t, const entry& e) {
  entry after = e;
  after.state = e.state == state::skipped ? state::away_skipped : state::away;
  after.local.reset(), after.listed.reset();
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

inode bring_back(transaction& t, const entry& away, const side& now, const std::string& target) {
  const auto p = away.parent == 0 ? place_of(t, away.name) : std::optional(place{away.parent, away.name});
  if (!p || t.child(p->directory, p->name)) return forget(t, away), 0;
  entry after = away;
  after.parent = p->directory, after.name = p->name;
  after.source = now, after.target = target;
  after.state = away.state == state::away_skipped ? state::skipped : state::missing;
  t.update(away, after);
  if (t.has_lost()) t.regain(t.path(after.ino).value_or(""));
  t.note({change::what::dentry, after.parent, after.name});
  t.note({change::what::listing, after.parent, {}});
  return after.ino;
}

std::optional<std::string> path_in_view(transaction& t, const entry& e) {
  return is_away(e.state) && e.parent == 0 ? e.name : t.path(e.ino);
}

}  // namespace ferryfs::index
