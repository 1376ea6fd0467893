#include "index/update/replay.hpp"

#include <sys/stat.h>

#include <optional>
#include <utility>
#include <vector>

#include "index/base/path.hpp"
#include "index/db/path_walk.hpp"
#include "index/update/decision.hpp"
#include "index/update/hidden_row.hpp"
#include "index/update/local_change.hpp"
#include "index/update/removal.hpp"
#include "index/update/source_links.hpp"

namespace ferryfs::index {
namespace {

class replayer {
 public:
  replayer(transaction& t, std::int64_t now) : t_(t), now_(now) {}

  bool deleted(const std::string& path) {
    const auto at = location_of(path);
    if (!at) return false;
    if (const auto e = entry_at(*at)) return remove(*e), true;
    const auto hidden = t_.hidden_child(at->directory, at->name);
    if (!hidden || hidden->state != state::kept_local) return false;
    set_state(*hidden, state::deleted);
    return true;
  }

  bool renamed(const std::string& from, const std::string& to) {
    const auto old = location_of(from);
    const auto e = old ? entry_at(*old) : std::nullopt;
    const auto target = e ? make_location(to) : std::nullopt;
    if (!target) return false;
    if (const auto there = t_.child(target->directory, target->name); there && there->ino != e->ino) give_way(*there);
    note_name(*old), note_name(*target);
    apply_rename(t_, e->ino, target->directory, target->name, now_);
    return true;
  }

  bool exchanged(const std::string& one, const std::string& other) {
    const auto a = location_of(one), b = location_of(other);
    const auto first = a ? entry_at(*a) : std::nullopt, second = b ? entry_at(*b) : std::nullopt;
    if (!first || !second) return first ? renamed(one, other) : renamed(other, one);
    note_name(*a), note_name(*b);
    apply_exchange(t_, first->ino, second->ino, now_);
    return true;
  }

  bool skipped(const std::string& path, bool on) {
    const auto at = location_of(path);
    const auto e = at ? entry_at(*at) : std::nullopt;
    if (e && !on) return apply_unskip(t_, e->ino);
    const bool gap = e && apply_skip(t_, e->ino), unlisted = e && apply_unlisted_acceptance(t_, e->ino);
    return gap || unlisted || (on && skipped_refused(path));
  }

  bool undeleted(const std::string& path) {
    const auto at = location_of(path);
    const auto hidden = at ? t_.hidden_child(at->directory, at->name) : std::nullopt;
    return hidden && apply_undelete(t_, hidden->ino);
  }

  bool accepted_link(const std::string& path, const std::string& target) {
    const auto at = location_of(path);
    const auto e = at ? entry_at(*at) : std::nullopt;
    if (!e || !e->source || !S_ISLNK(e->source->mode) || e->target != target) return false;
    if (!apply_link_acceptance(t_, e->ino)) t_.accept_link(e->ino, target);
    return true;
  }

  bool kept_destination(const std::string& path) {
    const auto at = location_of(path);
    if (!at) return false;
    const auto hidden = t_.hidden_child(at->directory, at->name);
    if (hidden && hidden->state == state::shadowed) return apply_keep_destination(t_, hidden->ino);
    const auto e = entry_at(*at);
    if (!e || !e->source) return false;
    if (apply_keep_destination(t_, e->ino)) return true;
    hide(*e, state::kept_local);  // ours is found when the destination is looked at
    return true;
  }

  bool kept_both(const std::string& path, const std::string& name) {
    const auto at = location_of(path);
    if (!at) return false;
    if (const auto hidden = t_.hidden_child(at->directory, at->name); hidden && hidden->state == state::shadowed)
      return apply_keep_both(t_, hidden->ino, location_of(name).value_or(location{}).name) != 0;
    return renamed(path, name);
  }

  bool reopened(const std::string& path) {
    const auto at = location_of(path);
    const auto hidden = at ? t_.hidden_child(at->directory, at->name) : std::nullopt;
    if (!hidden || hidden->state == state::shadowed) return false;
    if (const auto moved = t_.by_origin(hidden->ino)) detach_from_source(t_, *moved);
    const auto here = entry_at(*at);
    if (here && here->source) return set_state(*hidden, state::shadowed), true;
    entry e = here.value_or(entry{});
    e.parent = at->directory, e.name = at->name, e.source = hidden->source;
    if (!here) e.day = hidden->day, e.target = hidden->target, e.state = state::missing;
    t_.erase(*hidden);
    e.state = classify(e);
    here ? t_.update(*here, e) : void(t_.insert(e));
    note_name(*at);
    return true;
  }

 private:
  // Such a name may hold a '/' itself, so the directory may be any that the path begins with.
  bool skipped_refused(const std::string& path) {
    location p{root_inode, path};
    while (!t_.refused.skip(p.directory, p.name)) {
      const auto slash = p.name.find('/');
      if (slash == std::string::npos) return false;
      const auto directory = t_.child(p.directory, p.name.substr(0, slash));
      if (!directory) return false;
      p = {directory->ino, p.name.substr(slash + 1)};
    }
    return true;
  }

  std::optional<entry> entry_at(const location& l) {
    return l.name.empty() ? std::nullopt : t_.child(l.directory, l.name);
  }

  // Nothing: there is no such directory.
  std::optional<location> location_of(const std::string& path) { return walk(path, false); }
  // Enters the directories that are missing: those that were made here to hold it are found on the disk later.
  std::optional<location> make_location(const std::string& path) { return walk(path, true); }

  std::optional<location> walk(const std::string& path, bool make) {
    auto at = locate(path, [&](inode directory, std::string_view name) -> std::optional<inode> {
      if (!valid_name(name)) return std::nullopt;
      if (const auto e = t_.child(directory, name)) return e->ino;
      if (!make) return std::nullopt;
      return apply_creation(t_, {directory, std::string(name), {S_IFDIR | 0755, 4096, now_}, {}, {}, ""}, now_);
    });
    return at && valid_name(at->name) ? at : std::nullopt;
  }

  void remove(const entry& e) {
    if (e.is_directory()) {
      std::vector<inode> below;
      t_.children(e.ino, "", [&](entry&& child) { return below.push_back(child.ino), true; });
      for (const inode child : below)
        if (const auto c = t_.by_inode(child)) remove(*c);
    }
    note_name({e.parent, e.name});
    apply_removal(t_, e.ino, now_);
  }

  // Another entry is to get the name of `e`, and no line says that `e` was deleted: the source has got it since.
  void give_way(const entry& e) {
    if (e.source && !e.origin)
      hide(e, state::shadowed);
    else if (!e.source)
      remove_from_side(t_, e, side::destination);
  }

  // Leaves the source's copy of `e` to a hidden row.
  void hide(const entry& e, state as) {
    note_name({e.parent, e.name});
    const auto origin = e.origin ? t_.by_inode(*e.origin) : std::nullopt;
    if (origin) return set_state(*origin, as), t_.erase(e);
    if (S_ISDIR(e.source->mode)) remove_subtree(t_, e.ino, side::source, false);
    t_.erase(e);
    t_.insert(hidden_row(e, as));
  }

  void set_state(const entry& before, state s) {
    entry after = before;
    after.state = s;
    t_.update(before, after);
  }

  void note_name(const location& p) {
    t_.note({change::what::dentry, p.directory, p.name});
    t_.note({change::what::listing, p.directory, {}});
  }

  transaction& t_;
  const std::int64_t now_;
};

}  // namespace

bool replay(transaction& t, const decision_line& d, std::int64_t now) {
  const transaction::replay_scope replaying{t};
  replayer r{t, now};
  if (d.verb == "deleted") return r.deleted(d.path);
  if (d.verb == "renamed" && !d.other.empty()) return r.renamed(d.path, d.other);
  if (d.verb == "exchanged" && !d.other.empty()) return r.exchanged(d.path, d.other);
  if (d.verb == "skipped" || d.verb == "wanted") return r.skipped(d.path, d.verb == "skipped");
  if (d.verb == "undeleted") return r.undeleted(d.path);
  if (d.verb == "accepted-link") return r.accepted_link(d.path, d.other);
  if (d.verb == "kept-destination") return r.kept_destination(d.path);
  if (d.verb == "kept-both" && !d.other.empty()) return r.kept_both(d.path, d.other);
  if (d.verb == "reopened") return r.reopened(d.path);
  return d.verb == "kept-source";  // what came of that is on the disk
}

}  // namespace ferryfs::index
