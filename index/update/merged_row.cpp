#include "index/update/merged_row.hpp"

#include <algorithm>

namespace ferryfs::index {

file_facts normalized(const entry& e, side w, file_facts s) {
  if (w != side::destination || !S_ISDIR(s.mode) || !e.source) return s;
  s.size = e.source->size;
  s.mtime = e.changed != 0 && e.local ? std::max(e.local->mtime, e.source->mtime) : e.source->mtime;
  // While it fills its owner may write to it, whatever its mode; where an older version made it, nobody else.
  const auto known = e.changed != 0 && e.local ? e.local->mode : e.source->mode;
  if (S_ISDIR(known) && (s.mode == (known | 0700U) || (s.mode & 07777) == 0700)) s.mode = known;
  return s;
}

bool is_another(const file_facts& known, const file_facts& now) {
  return !same_size_and_time(known, now) || (known.mode & S_IFMT) != (now.mode & S_IFMT);
}

bool has_other_target(const entry& before, const directory_entry& name) {
  return S_ISLNK(name.attributes.mode) && before.target != name.target;
}

namespace {

// Bytes that are here are not given up for a time alone.
void note_time(entry& e) {
  const bool time_only = e.fetched && e.local && e.state == state::missing && S_ISREG(e.source->mode) &&
                         S_ISREG(e.local->mode) && e.source->size == e.local->size && !is_doubt(e.reason);
  if (time_only)
    e.set_reason(reason::time_differs);
  else if (e.reason == reason::time_differs)
    e.forget_reason();
}

}  // namespace

entry merged_row(const entry& before, side w, const directory_entry& name) {
  entry after = before;
  on(after, w) = normalized(after, w, name.attributes);
  if (S_ISLNK(name.attributes.mode) && (w == side::destination || !after.local)) after.target = name.target;
  if (w == side::destination) {
    after.uid = name.uid, after.gid = name.gid;
    const bool touched = !before.local || !same_size_and_time(*before.local, *after.local);
    if (touched && S_ISREG(after.local->mode)) after.fetched = false, after.sha256.clear();
    if (touched) after.forget_reason();
  } else if (before.source != after.source && before.state == state::failed) {
    after.state = state::missing;
    after.forget_failure();
  } else if (before.source && before.reason == reason::source_differs && is_another(*before.source, name.attributes)) {
    after.forget_reason();
  }
  after.state = classify(after);
  if (w == side::source) note_time(after);
  if (w == side::source && before.local && has_other_target(before, name)) after.state = state::conflict;
  return after;
}

}  // namespace ferryfs::index
