#include "index/outcome.hpp"

#include <algorithm>

#include "index/arrivals.hpp"
#include "index/day.hpp"

namespace ferryfs::index {
namespace {

// Changes the row of `ino` by `edit`, if there is one, and tells the kernel if what it shows is another.
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

}  // namespace

void record_arrival(transaction& t, const arrival& a) {
  const bool known = edit(t, a.ino, [&](entry& e) {
    if (is_hidden(e.state)) return;  // deleted since it got its name, and its file with it
    // What a scan learnt of the source meanwhile stands: then this is an outdated copy, or all that is left.
    e.local = a.local, e.sha256 = a.sha256;
    // With another time than the source's, a change there is seen by its size alone.
    e.fetched = e.source.has_value() && !e.set_mtime;
    e.set_mode.reset(), e.set_mtime.reset();
    e.forget_reason();
    e.state = classify(e);
  });
  if (known || !t.by_inode(a.parent)) return;
  entry e;
  e.parent = a.parent, e.name = a.name, e.local = a.local, e.sha256 = a.sha256;
  e.day = day_of(a.name, a.local.mtime / 1'000'000'000);
  e.state = state::added;
  t.insert(e);
  t.note({change::what::dentry, a.parent, a.name});
  t.note({change::what::listing, a.parent, {}});
}

void record_made(transaction& t, inode ino, const side& local) {
  edit(t, ino, [&](entry& e) {
    e.local = local;
    e.forget_reason();
    if (e.source) e.local->size = e.source->size, e.local->mtime = e.source->mtime;
    e.state = classify(e);
  });
}

void record_failure(transaction& t, inode ino, const std::string& cause, std::int64_t now, reason why) {
  constexpr std::int64_t first_pause = 30, longest_pause = 3600;
  edit(t, ino, [&](entry& e) {
    if (e.state != state::missing && e.state != state::failed) return;
    e.state = state::failed;
    is_doubt(e.reason) ? void(e.error = cause) : e.set_reason(why, cause);
    e.retry_at = now + std::min(first_pause << std::min(e.attempts, 16U), longest_pause);
    ++e.attempts;
  });
}

void record_source(transaction& t, inode ino, const side& source) {
  edit(t, ino, [&](entry& e) {
    if (!e.source) return;
    e.source = source;
    if (e.state == state::failed) e.state = state::missing, e.forget_failure();
    e.state = classify(e);
    record_if_common(t, e);
  });
  // Bytes of both forms may have been read meanwhile.
  t.note({change::what::content, ino, {}});
}

void record_found(transaction& t, inode ino, const side& local) {
  edit(t, ino, [&](entry& e) {
    e.local = local, e.fetched = false, e.sha256.clear();
    e.forget_reason();
    e.state = classify(e);
    record_if_common(t, e);
  });
}

}  // namespace ferryfs::index
