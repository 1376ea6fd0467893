// Directories.
#include <sys/stat.h>

#include <string>

#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/answers.hpp"

namespace ferryfs::fs {
namespace {

constexpr off_t dot = readdir_cursors::dot, dot_dot = readdir_cursors::dot_dot;

listed_name without_entry(const char* name, inode ino, off_t next) {
  listed_name n{name, {}, false, next};
  n.attributes.st.st_ino = ino;
  n.attributes.st.st_mode = S_IFDIR;
  return n;
}

// The name of the entry at `offset`, which may have been removed since it was given out.
std::string name_at(merged_tree& tree, index::reader& r, inode directory, off_t offset) {
  if (offset <= dot_dot) return "";
  if (auto name = tree.departed->positions.find(directory, offset)) return *std::move(name);
  auto e = r.by_inode(readdir_cursors::inode_at(offset));
  if (!e || e->parent != directory) throw answer_errno{ESTALE};
  return std::move(e->name);
}

}  // namespace

bool is_listed(merged_tree& tree, inode directory) {
  const auto e = tree.archive.readers().borrow()->by_inode(directory);
  if (!e) throw answer_errno{ENOENT};
  return !e->never_listed();
}

void list_names(merged_tree& tree, inode directory, off_t offset, const std::function<bool(const listed_name&)>& add) {
  const auto generation = tree.written.generation();  // before any row is read
  const auto reader = tree.archive.readers().borrow();
  if (offset < dot && !add(without_entry(".", directory, dot))) return;
  if (offset < dot_dot) {
    const auto self = reader->name(directory);
    if (!add(without_entry("..", self && self->parent != 0 ? self->parent : directory, dot_dot))) return;
  }
  std::string last;
  off_t last_offset = 0;
  std::optional<bool> remembered;  // asked once the rows are being read: a name is remembered before it leaves them
  reader->children(directory, name_at(tree, *reader, directory, offset), [&](entry&& e) {
    if (!remembered) remembered = tree.departed->positions.any_in(directory);
    const off_t at = *remembered ? tree.departed->positions.offset_of(e) : readdir_cursors::of(e.ino);
    if (!add({e.name.c_str(), attributes_of(tree, generation, e), true, at})) return false;
    last = std::move(e.name), last_offset = at;
    return true;
  });
  // A scan may find the name gone from both sides.
  if (last_offset != 0) tree.departed->positions.remember(directory, last_offset, last);
}

}  // namespace ferryfs::fs
