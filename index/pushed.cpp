#include "index/pushed.hpp"

namespace ferryfs::index {
namespace {

void set_source(transaction& t, const entry& before, const side& source) {
  entry after = before;
  after.source = source;
  t.update(before, after);
}

// The hidden row of the name that it has on the source, as what it went by here is another since, or none.
inode hide_name(transaction& t, const pushed& p, state as) {
  if (const auto hidden = t.hidden_child(p.sent.parent, p.sent.name)) {
    set_source(t, *hidden, p.source);
    return hidden->ino;
  }
  entry hidden;
  hidden.parent = p.sent.parent, hidden.name = p.sent.name, hidden.day = p.sent.day;
  hidden.source = p.source, hidden.target = p.sent.target;
  hidden.state = as;
  return t.insert(hidden);
}

}  // namespace

void record_pushed(transaction& t, const pushed& p) {
  if (!t.by_inode(p.sent.parent)) return;
  const auto before = t.by_inode(p.sent.ino);
  if (!before) return void(hide_name(t, p, state::deleted));
  if (is_hidden(before->state)) return set_source(t, *before, p.source);
  if (!before->local) return;
  entry after = *before;
  after.source = p.source;
  // It stays the destination's own: a change on the source is a conflict, never a reason to replace it.
  after.fetched = false;
  if (before->local == p.sent.local) after.sha256 = p.sha256;
  if (before->origin) {
    if (const auto moved = t.by_inode(*before->origin)) set_source(t, *moved, p.source);
  } else if (before->parent != p.sent.parent || before->name != p.sent.name) {
    after.origin = hide_name(t, p, state::moved);
  }
  after.state = classify(after);
  t.update(*before, after);
}

void record_pushed_directory(transaction& t, inode ino, const side& source) {
  const auto before = t.by_inode(ino);
  if (!before || is_hidden(before->state) || before->source || before->origin) return;
  entry after = *before;
  after.source = source;
  after.listed = 0;
  after.state = classify(after);
  t.update(*before, after);
}

}  // namespace ferryfs::index
