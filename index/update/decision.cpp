#include "index/update/decision.hpp"

#include <sys/stat.h>

#include "index/base/path.hpp"
#include "index/update/hidden_row.hpp"
#include "index/update/removal.hpp"

namespace ferryfs::index {
namespace {

constexpr std::size_t longest_extension = 16;  // a longer one is a part of the name

bool become(transaction& t, const entry& before, state s) {
  entry after = before;
  after.state = s;
  after.forget_failure();
  t.update(before, after);
  return true;
}

// Leaves the source's copy of `e` to a hidden row and returns that; what is here is new.
inode part(transaction& t, const entry& e, state as) {
  inode hidden = 0;
  if (e.origin) {
    const auto before = t.by_inode(*e.origin);
    if (!before) return 0;
    entry after = *before;
    after.source = e.source, after.state = as;
    t.update(*before, after);
    hidden = before->ino;
  } else {
    entry row = hidden_row(e, as);
    row.target.clear();  // that is of the link here
    hidden = t.insert(row);
    if (hidden == 0) return 0;
  }
  if (S_ISDIR(e.source->mode)) remove_subtree(t, e.ino, side::source, false);
  entry after = e;
  after.source.reset(), after.origin.reset(), after.listed_mtime.reset();
  after.fetched = false;
  if (e.reason == reason::spoilt) after.sha256.clear();  // is that of the source's copy
  after.forget_reason();
  after.state = state::added;
  t.update(e, after);
  return hidden;
}

void decide(transaction& t, const char* verb, const entry& e, const std::string& other = {}) {
  t.decide(verb, t.path(e.ino).value_or(""), other);
  t.promise(e.ino);
  t.promise(e.parent);
}

bool is_conflict(const std::optional<entry>& e) { return e && e->state == state::conflict && e->source && e->local; }

}  // namespace

bool apply_skip(transaction& t, inode ino) {
  const auto e = t.by_inode(ino);
  if (!e || (e->state != state::missing && e->state != state::failed && e->state != state::refused)) return false;
  decide(t, "skipped", *e);
  return become(t, *e, state::skipped);
}

bool apply_unlisted_acceptance(transaction& t, inode directory) {
  const auto e = t.by_inode(directory);
  if (!e || !t.accept_not_listed(directory)) return false;
  decide(t, "skipped", *e);
  return true;
}

bool apply_unskip(transaction& t, inode ino) {
  const auto e = t.by_inode(ino);
  if (!e || e->state != state::skipped) return false;
  decide(t, "wanted", *e);
  return become(t, *e, state::missing);
}

bool apply_undelete(transaction& t, inode ino) {
  const auto e = t.by_inode(ino);
  if (!e || e->state != state::deleted || !e->source || t.child(e->parent, e->name)) return false;
  if (const auto above = t.by_inode(e->parent);
      above && above->state == state::deleted && !apply_undelete(t, above->ino))
    return false;
  decide(t, "undeleted", *e);
  entry after = *e;
  after.listed_mtime.reset();
  after.state = state::missing;
  t.update(*e, after);
  t.note({change::what::dentry, e->parent, e->name});
  t.note({change::what::listing, e->parent, {}});
  return true;
}

bool apply_keep_destination(transaction& t, inode ino) {
  const auto e = t.by_inode(ino);
  const bool shadowed = e && e->state == state::shadowed;
  if (!shadowed && !is_conflict(e)) return false;
  decide(t, "kept-destination", *e);
  return shadowed ? become(t, *e, state::kept_local) : part(t, *e, state::kept_local) != 0;
}

bool apply_keep_source(transaction& t, inode ino) {
  const auto e = t.by_inode(ino);
  if (!is_conflict(e) || !S_ISREG(e->source->mode) || !S_ISREG(e->local->mode)) return false;
  entry after = *e;
  after.fetched = true;
  if (is_sound_here(after.reason)) after.sha256.clear();  // is that of ours
  after.state = state::missing;                           // also where size and time are the same: its bytes are not
  decide(t, "kept-source", *e);
  t.update(*e, after);
  t.note({change::what::content, ino, {}});
  return true;
}

void apply_failed_keep_source(transaction& t, inode ino) {
  const auto e = t.by_inode(ino);
  if (!e || !e->is_gap() || !e->local || !e->source) return;
  entry after = *e;
  after.fetched = false;
  after.forget_failure();
  after.state = state::conflict;
  if (classify(after) != state::conflict) after.set_reason(reason::written_here);  // alike by now, and not proven so
  t.update(*e, after);
  t.note({change::what::content, ino, {}});
}

inode apply_keep_both(transaction& t, inode ino, const std::string& name) {
  const auto e = t.by_inode(ino);
  const bool shadowed = e && e->state == state::shadowed;
  if ((!shadowed && !is_conflict(e)) || t.child(e->parent, name)) return 0;
  decide(t, "kept-both", *e, join(t.path(e->parent).value_or(""), name));
  entry copy;
  copy.parent = e->parent, copy.name = name, copy.day = e->day, copy.source = e->source;
  if (shadowed) copy.target = e->target;
  if (shadowed) become(t, *e, state::moved);
  copy.origin = shadowed ? ino : part(t, *e, state::moved);
  copy.state = state::missing;
  const inode made = *copy.origin == 0 ? 0 : t.insert(copy);
  t.note({change::what::dentry, e->parent, name});
  t.note({change::what::listing, e->parent, {}});
  return made;
}

std::string second_name(std::string_view name, bool directory, unsigned n) {
  const auto dot = name.rfind('.');
  const bool has_extension =
      !directory && dot != std::string_view::npos && dot > 0 && name.size() - dot <= longest_extension;
  std::string_view stem = has_extension ? name.substr(0, dot) : name;
  std::string tail = n == 1 ? ".source" : ".source-" + std::to_string(n);
  if (has_extension) tail += name.substr(dot);
  if (stem.size() + tail.size() > longest_name) {
    std::size_t length = longest_name - tail.size();
    while (length > 1 && (static_cast<unsigned char>(stem[length]) & 0xC0) == 0x80) --length;  // no half UTF-8 letter
    stem = stem.substr(0, length);
  }
  return std::string(stem) + tail;
}

}  // namespace ferryfs::index
