#include "index/pushed.hpp"

namespace ferryfs::index {

void record_pushed(transaction& t, const pushed& p) {
  const auto before = t.by_inode(p.sent.ino);
  if (!before || is_hidden(before->state) || !before->local) return;
  if (before->parent != p.sent.parent || before->name != p.sent.name || before->origin != p.sent.origin) return;
  entry after = *before;
  after.source = p.source;
  // It stays the destination's own: a change on the source is a conflict, never a reason to replace it.
  after.fetched = false;
  if (before->local == p.sent.local) after.sha256 = p.sha256;
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
