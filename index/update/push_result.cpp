#include "index/update/push_result.hpp"

#include <sys/stat.h>

#include "index/base/path.hpp"
#include "index/update/hidden_row.hpp"
#include "index/update/removal.hpp"
#include "index/update/rows_of.hpp"

namespace ferryfs::index {
namespace {

void set_source(transaction& t, const entry& before, const file_facts& source) {
  entry after = before;
  after.source = source;
  t.update(before, after);
}

// Makes the hidden row of the name that `sent` has on the source, since its name here is another by now, or none.
inode hide_name(transaction& t, const entry& sent, const file_facts& source, state as) {
  const auto path = join(t.path(sent.parent).value_or(""), sent.name);
  if (as == state::deleted) t.decide("deleted", path);
  if (as == state::moved) t.decide("renamed", path, t.path(sent.ino).value_or(""));
  if (const auto before = t.hidden_child(sent.parent, sent.name)) {
    entry after = *before;
    after.source = source, after.state = as;
    t.update(*before, after);
    return before->ino;
  }
  entry hidden = hidden_row(sent, as);
  hidden.source = source;
  return t.insert(hidden);
}

// The name on the source is that of the row `now`, whatever was hidden under it. Entries deleted in a directory of
// that name stays deleted.
void take_name(transaction& t, const entry& now) {
  const auto hidden = t.hidden_child(now.parent, now.name);
  if (!hidden) return;
  t.decide("reopened", join(t.path(now.parent).value_or(""), now.name));
  if (const auto moved = t.by_origin(hidden->ino)) detach_from_source(t, *moved);
  for (const entry& e : rows_of(t.hidden_children, hidden->ino)) {
    entry after = e;
    after.parent = now.ino;
    t.hidden_child(now.ino, e.name) ? t.erase(e) : t.update(e, after);
  }
  t.erase(*hidden);
}

bool is_renamed(const entry& now, const entry& sent) { return now.parent != sent.parent || now.name != sent.name; }

// A file that was written to while it was sent: the size proves nothing.
bool is_rewritten(const file_facts& now, const file_facts& sent) {
  return S_ISREG(now.mode) && !same_size_and_time(now, sent);
}

}  // namespace

void apply_push_result(transaction& t, const push_result& p) {
  if (!t.by_inode(p.sent.parent)) return;
  const auto before = t.by_inode(p.sent.ino);
  if (!before) return void(hide_name(t, p.sent, p.source, state::deleted));
  if (is_hidden(before->state)) return set_source(t, *before, p.source);
  if (!before->local) return;
  entry after = *before;
  after.source = p.source;
  // It stays the destination's own: a change on the source is a conflict, never a reason to replace it.
  after.fetched = false;
  if (before->is_link()) {  // it was made here, wherever it leads
    t.decide("accepted-link", t.path(before->ino).value_or(""), before->target);
    t.accept_link(before->ino, before->target);
  }
  if (before->local == p.sent.local) after.sha256 = p.sha256, after.compared = p.source.mtime, after.forget_reason();
  if (before->origin) {
    if (const auto moved = t.by_inode(*before->origin)) set_source(t, *moved, p.source);
  } else if (is_renamed(*before, p.sent)) {
    after.origin = hide_name(t, p.sent, p.source, state::moved);
  } else {
    take_name(t, *before);
  }
  after.state = classify(after);
  if (is_rewritten(*before->local, *p.sent.local))
    after.state = state::conflict, after.set_reason(reason::written_here);
  t.update(*before, after);
}

void apply_pushed_directory(transaction& t, const entry& sent, const file_facts& source) {
  if (!t.by_inode(sent.parent)) return;
  const auto before = t.by_inode(sent.ino);
  if (!before) return void(hide_name(t, sent, source, state::deleted));
  if (is_hidden(before->state) || before->source || before->origin) return;
  entry after = *before;
  if (is_renamed(*before, sent))
    after.origin = hide_name(t, sent, source, state::moved);
  else
    take_name(t, *before);
  after.source = source;
  after.listed_mtime = 0;
  after.state = classify(after);
  t.update(*before, after);
}

}  // namespace ferryfs::index
