#include "index/update/local_change.hpp"

#include <sys/stat.h>

#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/model/day.hpp"
#include "index/update/hidden_row.hpp"
#include "index/update/rows_of.hpp"

namespace ferryfs::index {
namespace {

// A name came to a directory or left it.
void touch_directory(transaction& t, inode directory, std::int64_t now) {
  const auto before = t.by_inode(directory);
  if (!before) return;
  entry after = *before;
  if (after.local) after.local->mtime = now;
  after.changed = now;
  t.update(*before, after);
}

std::int32_t day_at(transaction& t, inode parent, const std::string& name, std::int64_t mtime) {
  return day_of(join(t.path(parent).value_or(""), name), to_seconds(mtime));
}

// Leaves the name of `e` on the source to a hidden row, if the source has it under that name.
std::optional<inode> hide(transaction& t, const entry& e, state as) {
  if (!e.source || e.origin || t.hidden_child(e.parent, e.name)) return e.origin;
  return t.insert(hidden_row(e, as));
}

void remove(transaction& t, const entry& e) {
  if (e.origin) {  // the hidden row stays, of what is now deleted
    if (const auto moved = t.by_inode(*e.origin)) {
      entry deleted = *moved;
      deleted.state = state::deleted;
      t.update(*moved, deleted);
      // A name that was deleted in a directory stays known below its name on the source.
      for (const entry& below : rows_of(t.hidden_children, e.ino)) {
        entry kept = below;
        kept.parent = moved->ino;
        t.update(below, kept);
      }
    }
    return t.erase(e);
  }
  if (const auto hidden = t.hidden_child(e.parent, e.name); hidden || !e.source) {
    if (hidden && hidden->state == state::kept_local) {
      entry deleted = *hidden;
      deleted.state = state::deleted;
      t.update(*hidden, deleted);
    }
    return t.erase(e);
  }
  entry after = e;
  after.state = state::deleted;
  after.local.reset(), after.set_mode.reset(), after.set_mtime.reset();
  after.uid.reset(), after.gid.reset();
  after.sha256.clear(), after.fetched = false;
  after.forget_reason();
  t.update(e, after);
}

bool is_of_source(const entry& e) { return e.source || e.origin; }

// That it goes is what no scan would find again. False: what the disk says of it is all there is.
bool is_decision(transaction& t, const entry& e) {
  if (is_of_source(e)) return true;
  const auto hidden = t.hidden_child(e.parent, e.name);
  return hidden && hidden->state == state::kept_local;
}

std::string path_of(transaction& t, const entry& e) { return t.path(e.ino).value_or(""); }

// `e` is about to go from the view, by its removal or by what takes its name. False: that is no decision.
bool decide_removal(transaction& t, const entry& e) {
  if (!is_decision(t, e)) return false;
  t.decide("deleted", path_of(t, e));
  t.promise(e.parent);
  return true;
}

// A program saves by a rename: `e`, which the source knows nothing of, gets the name of a picture of the source's.
bool is_saved_over(const entry& e, const entry& there) {
  return !is_of_source(e) && e.local && S_ISREG(e.local->mode) && there.source && S_ISREG(there.source->mode);
}

// It is that picture, overwritten: in conflict, also where its size is the same, until a digest shows the same bytes.
void save_over(transaction& t, const entry& e, const entry& there, std::int64_t now) {
  t.erase(there);
  entry after = e;
  after.parent = there.parent, after.name = there.name, after.day = there.day;
  after.source = there.source, after.origin = there.origin;
  after.fetched = false, after.changed = now;
  after.forget_reason();
  after.state = classify(after);
  if (after.state == state::common && e.local->size > 0)
    after.state = state::conflict, after.set_reason(reason::written_here);
  t.update(e, after);
  t.promise(e.ino), t.promise(there.parent);
}

// Puts `e` under another name that is free.
void place(transaction& t, const entry& e, inode parent, const std::string& name, std::int64_t now) {
  entry after = e;
  after.origin = hide(t, e, state::moved);
  after.parent = parent, after.name = name;
  // Back where the source has it: nothing is to be hidden any more.
  std::optional<entry> back;
  if (after.origin) back = t.by_inode(*after.origin);
  if (back && back->parent == parent && back->name == name) {
    t.erase(*back);
    after.origin.reset();
  }
  if (S_ISREG(after.shown().mode)) after.day = day_at(t, parent, name, after.shown().mtime);
  after.changed = now;
  t.update(e, after);
}

}  // namespace

inode apply_creation(transaction& t, const new_entry& m, std::int64_t now) {
  touch_directory(t, m.parent, now);
  if (t.has_lost()) t.remove_lost(join(t.path(m.parent).value_or(""), m.name));
  if (const auto before = t.child(m.parent, m.name)) {
    entry after = *before;
    after.local = m.local, after.uid = m.uid, after.gid = m.gid, after.target = m.target;
    after.fetched = false, after.sha256.clear(), after.changed = now;
    after.set_mode.reset(), after.set_mtime.reset();
    after.forget_reason();
    after.state = classify(after);
    t.update(*before, after);
    return before->ino;
  }
  entry e;
  e.parent = m.parent, e.name = m.name, e.local = m.local, e.uid = m.uid, e.gid = m.gid, e.target = m.target;
  e.day = day_at(t, m.parent, m.name, m.local.mtime);
  e.state = state::added;
  e.changed = now;
  return t.insert(e);
}

void apply_removal(transaction& t, inode ino, std::int64_t now) {
  const auto e = t.by_inode(ino);
  if (!e || is_hidden(e->state)) return;
  decide_removal(t, *e) ? t.finish_rename(ino) : t.forget_rename(ino);
  touch_directory(t, e->parent, now);
  remove(t, *e);
}

void apply_rename(transaction& t, inode ino, inode parent, const std::string& name, std::int64_t now) {
  const auto e = t.by_inode(ino);
  if (!e || is_hidden(e->state)) return;
  const auto there = t.child(parent, name);
  if (there && there->ino != ino && is_saved_over(*e, *there)) {
    t.forget_rename(ino);
    save_over(t, *e, *there, now);
    touch_directory(t, e->parent, now);
    return touch_directory(t, parent, now);
  }
  bool decided = false;
  if (there && there->ino != ino) decided = decide_removal(t, *there), remove(t, *there);
  if (is_of_source(*e) || e->is_directory()) {
    t.decide("renamed", path_of(t, *e), join(t.path(parent).value_or(""), name));
    for (const inode synced : {ino, e->parent, parent}) t.promise(synced);
    decided = true;
  }
  decided ? t.finish_rename(ino) : t.forget_rename(ino);
  place(t, *e, parent, name, now);
  touch_directory(t, e->parent, now);
  if (parent != e->parent) touch_directory(t, parent, now);
}

void apply_exchange(transaction& t, inode one, inode other, std::int64_t now) {
  const auto a = t.by_inode(one), b = t.by_inode(other);
  if (!a || !b) return;
  t.decide("exchanged", path_of(t, *a), path_of(t, *b));
  for (const inode synced : {one, other, a->parent, b->parent}) t.promise(synced);
  t.finish_rename(one), t.finish_rename(other);
  const std::string between = "\n" + a->name;  // for a moment, inside the transaction
  place(t, *a, a->parent, between, now);
  place(t, *b, a->parent, a->name, now);
  place(t, *t.by_inode(one), b->parent, b->name, now);
  touch_directory(t, a->parent, now);
  if (b->parent != a->parent) touch_directory(t, b->parent, now);
}

void apply_local_change(transaction& t, inode ino, const file_facts& local, std::optional<std::uint32_t> uid,
                        std::optional<std::uint32_t> gid, bool content, std::int64_t now) {
  const auto before = t.by_inode(ino);
  if (!before || is_hidden(before->state)) return;
  entry after = *before;
  const bool touched = !after.local || !same_size_and_time(*after.local, local);
  after.local = local, after.uid = uid, after.gid = gid;
  // Its time is not the source's any more, so that says nothing of whether the source's copy is the same.
  if (content || touched) after.fetched = false;
  if (content) after.sha256.clear(), after.forget_reason();
  after.changed = now;
  after.state = classify(after);
  // Of the same size, and yet taken for other bytes until a digest shows the same.
  if (content && after.state == state::common && S_ISREG(local.mode) && local.size > 0)
    after.state = state::conflict, after.set_reason(reason::written_here), t.promise(ino);
  t.update(*before, after);
}

void apply_ctime(transaction& t, inode ino, std::int64_t now) {
  const auto before = t.by_inode(ino);
  if (!before || is_hidden(before->state)) return;
  entry after = *before;
  after.changed = now;
  t.update(*before, after);
}

bool apply_deferred_attributes(transaction& t, inode ino, const deferred_attributes& w, std::int64_t now) {
  const auto before = t.by_inode(ino);
  if (!before || is_hidden(before->state)) return true;
  if (before->is_local()) return false;
  entry after = *before;
  if (w.mode) after.set_mode = w.mode;
  if (w.mtime) after.set_mtime = w.mtime;
  if (w.uid) after.uid = w.uid;
  if (w.gid) after.gid = w.gid;
  after.changed = now;
  t.update(*before, after);
  t.promise(ino);
  return true;
}

}  // namespace ferryfs::index
