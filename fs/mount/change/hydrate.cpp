// Changing a part of a missing picture needs all of it first.
#include "fs/mount/change/changes.hpp"
#include "fs/mount/state/answer_errno.hpp"

namespace ferryfs::fs {

void hydrate(merged_tree& tree, inode ino, std::function<void(const std::optional<remote::failure>&)> done) {
  std::optional<entry> e;
  std::optional<std::string> path;
  {
    const auto reader = tree.archive.readers().borrow();
    e = reader->by_inode(ino);
    path = reader->source_path(ino);
  }
  if (!e || !path || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (e->is_local()) return done(std::nullopt);
  tree.archive.fetch().fetch(*e, *path, remote::priority::demand,
                             [&tree, done = std::move(done)](const std::optional<remote::failure>& why) {
                               if (why) return done(why);
                               tree.changes.post([done] { done(std::nullopt); });
                             });
}

}  // namespace ferryfs::fs
