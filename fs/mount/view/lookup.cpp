// Names. An inode number is a row id.
#include <linux/limits.h>

#include <cstring>

#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/answers.hpp"

namespace ferryfs::fs {
namespace {

// `generation`: of written_files, before the row was read.
shown_entry shown(merged_tree& tree, std::uint64_t generation, const std::optional<entry>& e) {
  if (!e || is_hidden(e->state)) return {};
  return {e->ino, attributes_of(tree, generation, *e)};
}

}  // namespace

std::optional<shown_entry> look_up(merged_tree& tree, inode parent, const char* name) {
  if (std::strlen(name) > NAME_MAX) throw answer_errno{ENAMETOOLONG};
  std::optional<entry> found;
  bool unsure = false;
  const auto generation = tree.written.generation();
  tree.archive.look([&](auto& rows) {
    // The directory first: if it was listed before the name was looked for, a name that is not found is not there.
    const auto directory = rows.by_inode(parent);
    found = rows.child(parent, name);
    unsure = !found && directory && directory->never_listed();
  });
  if (unsure) return std::nullopt;
  return shown(tree, generation, found);
}

shown_entry look_up_listed(merged_tree& tree, inode parent, const std::string& name,
                           const std::optional<remote::failure>& why) {
  const auto generation = tree.written.generation();
  const auto e = tree.archive.readers().borrow()->child(parent, name);
  if (!e && why) throw remote::failure{*why};
  return shown(tree, generation, e);
}

shown_entry show(merged_tree& tree, inode ino) {
  const auto generation = tree.written.generation();
  const auto e = tree.archive.readers().borrow()->by_inode(ino);
  if (!e) throw answer_errno{ENOENT};
  return {e->ino, attributes_of(tree, generation, *e)};
}

}  // namespace ferryfs::fs
