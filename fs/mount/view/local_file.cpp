#include "fs/mount/view/local_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "fs/mount/state/answer_errno.hpp"
#include "index/base/mutex.hpp"

namespace ferryfs::fs {
namespace {

// Empty, and errno set, where it can't be opened.
std::shared_ptr<const unique_fd> open_at(merged_tree& tree, const std::string& path, int flags) {
  return std::make_shared<unique_fd>(tree.archive.where().open(path, flags | O_NOFOLLOW | O_NONBLOCK));
}

std::string known_path(merged_tree& tree, inode ino) {
  auto path = path_of(tree, ino);
  if (!path) throw answer_errno{ENOENT};
  return *std::move(path);
}

std::shared_ptr<const unique_fd> checked(std::shared_ptr<const unique_fd> file) {
  if (!*file) throw answer_errno{errno};
  struct stat st {};
  // Else it was replaced since the last scan.
  if (disk().fstat(file->get(), &st) != 0 || !S_ISREG(st.st_mode)) throw answer_errno{EIO};
  return file;
}

}  // namespace

std::optional<std::string> path_of(merged_tree& tree, inode ino) {
  const auto reader = tree.archive.readers().borrow();
  const auto frozen = reader->freeze();
  return reader->path(ino);
}

std::shared_ptr<const unique_fd> open_named(merged_tree& tree, const entry& e, int flags) {
  return checked(open_at(tree, known_path(tree, e.ino), flags));
}

std::shared_ptr<const unique_fd> open_local(merged_tree& tree, const entry& e, const std::string& path, int flags) {
  auto file = open_at(tree, path, flags);
  if (*file || errno != ENOENT) return checked(std::move(file));
  // The entry, or a directory above it, gets another name at this moment.
  const shared_lock held{tree.archive.where().namespace_lock()};
  return open_named(tree, e, flags);
}

std::shared_ptr<const unique_fd> open_local(merged_tree& tree, const entry& e, int flags) {
  return open_local(tree, e, known_path(tree, e.ino), flags);
}

std::shared_ptr<const unique_fd> local_of(merged_tree& tree, open_file& handle) {
  if (auto file = handle.file()) return file;
  const shared_lock held{tree.archive.where().namespace_lock()};
  const auto e = tree.archive.readers().borrow()->by_inode(handle.ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (!e->is_local()) return nullptr;
  auto file = open_named(tree, *e, O_RDWR);
  handle.set_file(file);
  return file;
}

std::shared_ptr<const unique_fd> find_local(merged_tree& tree, inode ino, bool names_held) {
  if (auto file = tree.open_pictures.find(ino)) return file;
  const auto e = tree.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (!e->local || (!e->is_local() && !e->is_directory())) return nullptr;
  const auto open = [&] {
    const auto path = tree.archive.readers().borrow()->path(ino);
    if (!path) throw answer_errno{ENOENT};
    return std::make_shared<unique_fd>(tree.archive.where().open(*path, O_PATH | O_NOFOLLOW));
  };
  auto file = open();
  if (!*file && errno == ENOENT && !names_held) {  // it, or a directory above it, gets another name at this moment
    const shared_lock held{tree.archive.where().namespace_lock()};
    file = open();
  }
  if (!*file) throw answer_errno{errno};
  return file;
}

}  // namespace ferryfs::fs
