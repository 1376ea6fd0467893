#include "index/update/fetch_result.hpp"

#include <algorithm>

#include "index/base/time.hpp"
#include "index/model/day.hpp"
#include "index/update/verify_result.hpp"

namespace ferryfs::index {
namespace {

// Changes the row of `ino`, if there is one, and notes that for the kernel if it shows something else by that.
template <typename Edit>
bool edit(transaction& t, inode ino, Edit&& change_it) {
  const auto before = t.by_inode(ino);
  if (!before) return false;
  entry after = *before;
  change_it(after);
  t.update(*before, after);
  if (before->shown() != after.shown()) t.note({change::what::content, ino, {}});
  return true;
}

void fail(entry& e, const std::string& cause, std::int64_t now, reason why) {
  constexpr std::int64_t first_pause = 30, longest_pause = 3600;
  e.state = state::failed;
  is_doubt(e.reason) ? void(e.error = cause) : e.set_reason(why, cause);
  e.retry_at = now + std::min(first_pause << std::min(e.attempts, 16U), longest_pause);
  ++e.attempts;
}

}  // namespace

void apply_arrival(transaction& t, const arrival& a) {
  const bool known = edit(t, a.ino, [&](entry& e) {
    if (is_hidden(e.state)) return;  // deleted since it got its name, and its file with it
    // Its size may have been learnt from the bytes.
    if (e.source && e.source->size == 0 && a.source.size != 0) *e.source = beside(a.source, *e.source);
    // The row keeps what a scan learnt of the source meanwhile: then this is an outdated copy, or all that is left.
    e.local = a.local, e.sha256 = a.sha256, e.compared = a.source.mtime;
    // With another time than the source's, a change there is seen by its size alone.
    e.fetched = e.source.has_value() && !e.set_mtime;
    e.set_mode.reset(), e.set_mtime.reset();
    e.forget_reason();
    e.state = classify(e);
    // Here it can't have the source's time, as on a file system that keeps others: it is not to be fetched for ever.
    if (e.is_gap() && e.source == a.source) e.fetched = false, e.state = classify(e);
  });
  if (known || !t.by_inode(a.parent)) return;
  entry e;
  e.parent = a.parent, e.name = a.name, e.local = a.local, e.sha256 = a.sha256;
  e.day = day_of(a.name, to_seconds(a.local.mtime));
  e.state = state::added;
  t.insert(e);
  t.note({change::what::dentry, a.parent, a.name});
  t.note({change::what::listing, a.parent, {}});
}

void apply_made_entry(transaction& t, inode ino, const file_facts& local) {
  edit(t, ino, [&](entry& e) {
    e.local = local;
    e.fetched = S_ISLNK(local.mode);
    e.forget_reason();
    if (e.source) e.local->size = e.source->size, e.local->mtime = e.source->mtime;
    e.state = classify(e);
  });
}

void apply_fetch_failure(transaction& t, inode ino, const std::string& cause, std::int64_t now, reason why) {
  edit(t, ino, [&](entry& e) {
    if (e.state == state::missing || e.state == state::failed) fail(e, cause, now, why);
  });
}

void apply_source_attributes(transaction& t, inode ino, const file_facts& source) {
  edit(t, ino, [&](entry& e) {
    if (!e.source) return;
    e.source = source;
    if (e.state == state::failed) e.state = state::missing, e.forget_failure();
    e.state = classify(e);
  });
  // Bytes of both forms may have been read meanwhile.
  t.note({change::what::content, ino, {}});
}

void apply_change_while_fetched(transaction& t, inode ino, const file_facts& source, std::int64_t now) {
  const auto before = t.by_inode(ino);
  apply_source_attributes(t, ino, source);
  edit(t, ino, [&](entry& e) {
    if (e.state != state::missing || !before) return;
    e.attempts = before->attempts;
    e.attempts == 0 ? void(++e.attempts) : fail(e, std::string(text_of(reason::changing)), now, reason::changing);
  });
}

void apply_kept_open(transaction& t, inode ino, const file_facts& local) {
  edit(t, ino, [&](entry& e) {
    if (!e.source || !e.local || is_hidden(e.state)) return;
    e.local = local;
    e.forget_reason();
    keep_open(e);
  });
  // The view shows what is here again.
  t.note({change::what::content, ino, {}});
}

void apply_found_entry(transaction& t, inode ino, const file_facts& local) {
  edit(t, ino, [&](entry& e) {
    e.local = local, e.sha256.clear();
    e.fetched = e.fetched && S_ISLNK(local.mode);  // a link that was made here a moment before stays ours
    e.forget_reason();
    e.state = classify(e);
  });
}

}  // namespace ferryfs::index
