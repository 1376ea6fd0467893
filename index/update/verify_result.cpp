#include "index/update/verify_result.hpp"

namespace ferryfs::index {
namespace {

// The row, if it still stands for those bytes.
std::optional<entry> row_of(transaction& t, inode ino, const file_facts& read) {
  auto e = t.by_inode(ino);
  const bool same = e && e->is_local() && e->local && same_size_and_time(*e->local, read);
  return same ? std::move(e) : std::nullopt;
}

}  // namespace

void keep_open(entry& e) {
  e.fetched = false;
  e.state = state::conflict;
  e.set_reason(reason::written_here, "it was open for writing here when the source's copy changed");
}

bool apply_sound_digest(transaction& t, inode ino, const file_facts& read, const std::string& sha256, bool compared) {
  const auto before = row_of(t, ino, read);
  if (!before || before->awaits_digest()) return false;
  entry after = *before;
  after.sha256 = sha256;
  if (compared && after.source) after.compared = after.source->mtime;
  if (compared || !is_sound_here(after.reason)) after.forget_reason();
  after.state = classify(after);
  t.update(*before, after);
  return true;
}

bool apply_source_difference(transaction& t, inode ino, const file_facts& read, const std::string& sha256) {
  const auto before = row_of(t, ino, read);
  if (!before || !before->source) return false;
  entry after = *before;
  after.fetched = false;
  after.sha256 = sha256;
  if (!is_sound_here(after.reason)) after.set_reason(reason::source_differs);
  after.state = state::conflict;
  t.update(*before, after);
  return true;
}

bool apply_spoilt_digest(transaction& t, inode ino, const file_facts& read, const std::string& sha256,
                         const std::string& cause) {
  const auto before = row_of(t, ino, read);
  if (!before || !before->source) return false;
  entry after = *before;
  after.fetched = false;
  if (after.sha256.empty()) after.sha256 = sha256;
  after.set_reason(reason::spoilt, cause);
  after.state = state::conflict;
  t.update(*before, after);
  return true;
}

bool apply_missing_file(transaction& t, inode ino, const file_facts& read, std::int64_t now) {
  const auto before = row_of(t, ino, read);
  if (!before || !before->source) return false;
  entry after = *before;
  after.local.reset(), after.sha256.clear();
  after.fetched = false;
  after.state = state::failed;
  after.set_reason(reason::gone_here);
  after.attempts = 1, after.retry_at = now;
  t.update(*before, after);
  if (before->shown() != after.shown()) t.note({change::what::content, ino, {}});
  return true;
}

bool apply_same_bytes(transaction& t, inode ino, const file_facts& read, const file_facts& now,
                      const file_facts& source) {
  const auto e = t.by_inode(ino);
  if (!e || !e->awaits_digest() || e->local != read || e->source != source) return false;
  entry after = *e;
  after.local = now;
  after.compared = source.mtime;
  after.forget_reason();
  after.state = classify(after);
  t.update(*e, after);
  t.note({change::what::content, ino, {}});
  return true;
}

bool apply_other_bytes(transaction& t, inode ino, const file_facts& source) {
  const auto e = t.by_inode(ino);
  if (!e || !e->awaits_digest() || e->source != source) return false;
  entry after = *e;
  after.forget_reason();
  t.update(*e, after);
  t.note({change::what::content, ino, {}});
  return true;
}

}  // namespace ferryfs::index
