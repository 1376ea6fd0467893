// SQLite's files under a test's hand: a call of one kind fails when its turn comes, and a power cut takes from each
// file what was not synced. It takes the place of SQLite's own VFSs "unix" and "unix-excl", which it passes calls on
// to, so that the program opens its databases through it without knowing.
#pragma once

#include <string>

namespace ferryfs::test {

enum class index_call { open, write, sync };

// One at a time; made before the test's first database is opened and destroyed after the last was closed. SQLite calls
// it on any thread.
class index_vfs {
 public:
  index_vfs();
  ~index_vfs();
  index_vfs(const index_vfs&) = delete;
  index_vfs& operator=(const index_vfs&) = delete;

  // The `n`-th call of this kind from now on, counted from 1, returns `code` (as SQLITE_FULL) and does nothing; with
  // `all` those after it, too.
  void fail(index_call kind, unsigned n, int code, bool all = false);
  // The cause is gone.
  void heal();
  // Whether a call was failed since the last fail().
  bool has_failed() const;

  // From here on no sync counts, though each succeeds. restore() gives each file what was in it when it was synced
  // last, before that; to be called once all databases are closed.
  void cut_power();
  void restore();
};

}  // namespace ferryfs::test
