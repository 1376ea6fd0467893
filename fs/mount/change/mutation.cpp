#include "fs/mount/change/mutation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "fs/mount/change/unfinished_file.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "index/base/clock.hpp"
#include "index/base/path.hpp"
#include "index/update/fetch_result.hpp"
#include "remote/destination/make_directories.hpp"
#include "remote/destination/stat_facts.hpp"

namespace ferryfs::fs {

unique_fd open_destination_directory(merged_tree& tree, inode ino, bool make) {
  const auto& where = tree.archive.where();
  const auto path = tree.archive.look([&](auto& rows) { return rows.path(ino); });
  if (!path) throw answer_errno{ENOENT};
  auto fd = where.open(*path, O_RDONLY | O_DIRECTORY);
  if (fd) return fd;
  if (errno != ENOENT) throw answer_errno{errno};
  if (!make) return fd;
  std::vector<std::string> made;
  if (const int problem = remote::make_directories(where, *tree.archive.readers().borrow(), *path, made))
    throw answer_errno{problem};
  tree.archive.index().run([&](index::transaction& t) { remote::record_directories(t, made); });
  fd = where.open(*path, O_RDONLY | O_DIRECTORY);
  if (!fd) throw answer_errno{errno};
  return fd;
}

unique_fd open_path_descriptor(merged_tree& tree, const entry& e) {
  const auto path = tree.archive.look([&](auto& rows) { return rows.path(e.ino); });
  if (!path) throw answer_errno{ENOENT};
  auto fd = tree.archive.where().open(*path, O_PATH | O_NOFOLLOW);
  struct stat st {};
  if (!fd || disk().fstat(fd.get(), &st) != 0) throw answer_errno{errno};
  if ((st.st_mode & S_IFMT) != (e.shown().mode & S_IFMT)) throw answer_errno{EIO};  // replaced since the last scan
  return fd;
}

void change_mode(int fd, mode_t mode) {
  // fchmod(2) takes no O_PATH descriptor, and fchmodat(2) would follow a link that came to stand under the name.
  if (disk().chmod(proc_path(fd).c_str(), mode & 07777) != 0) throw answer_errno{errno};
}

entry visible_entry(merged_tree& tree, inode ino) {
  auto e = tree.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  return *std::move(e);
}

bool is_empty(merged_tree& tree, const entry& directory) {
  bool empty = true;
  tree.archive.readers().borrow()->children(directory.ino, "", [&](entry&&) { return empty = false; });
  return empty && !directory.never_listed();
}

void refuse_own_directory(inode parent, const char* name) {
  if (parent == root_inode && name == own_directory) throw answer_errno{EPERM};
}

entry child_of(merged_tree& tree, inode parent, const char* name) {
  refuse_own_directory(parent, name);
  auto e = tree.archive.readers().borrow()->child(parent, name);
  if (!e) throw answer_errno{ENOENT};
  return *std::move(e);
}

index::directory_entry stat_destination(merged_tree& tree, int directory, const char* name, const std::string& target) {
  struct stat st {};
  if (disk().fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW | (*name == '\0' ? AT_EMPTY_PATH : 0)) != 0)
    throw answer_errno{errno};
  return listed_of(tree, st, name, target);
}

index::directory_entry listed_of(merged_tree& tree, const struct stat& st, const char* name,
                                 const std::string& target) {
  return remote::entry_of_stat(name, st, target, tree.archive.where().uid(), tree.archive.where().gid());
}

void chown_new(merged_tree& tree, caller who, const entry& parent, int directory, const char* name) {
  const file_facts shown = parent.shown();
  const auto group = (shown.mode & S_ISGID) != 0 ? parent.gid.value_or(tree.owner.gid) : who.gid;
  if (who.uid == ::geteuid() && group == ::getegid()) return;
  if (disk().fchownat(directory, name, who.uid, group, AT_SYMLINK_NOFOLLOW) != 0 && ::geteuid() == 0)
    throw answer_errno{errno};
}

namespace {

// The copy under the name is the one that was fetched before the source's picture became another.
bool is_outdated_copy(const unique_fd& directory, const entry& e) {
  struct stat st {};
  if (!e.local || !e.fetched || disk().fstatat(directory.get(), e.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
    return false;
  return static_cast<std::uint64_t>(st.st_size) == e.local->size && to_ns(st.st_mtim) == e.local->mtime;
}

// A number for a partial file that no fetch uses: fetches name theirs by inode.
inode next_partial() {
  static std::atomic<inode> next = inode{1} << 62;
  return next++;
}

}  // namespace

// The file gets its name as it is to be: until then the missing picture shows, and if anything fails it goes on
// showing.
std::shared_ptr<const unique_fd> replace_missing(merged_tree& tree, inode ino) {
  const auto& where = tree.archive.where();
  const rename_change changing{tree};
  const auto now_entry = tree.archive.readers().borrow()->by_inode(ino);
  if (!now_entry || is_hidden(now_entry->state)) throw answer_errno{ENOENT};
  const entry& e = *now_entry;
  const auto directory = open_destination_directory(tree, e.parent, true);
  const bool outdated = is_outdated_copy(directory, e);
  const struct partial {
    const remote::destination& where;
    const inode key = next_partial();
    ~partial() { where.remove_partial(key); }
  } unnamed{where};
  const auto file = std::make_shared<unique_fd>(where.create_partial(unnamed.key, 0600));
  if (!*file) throw answer_errno{errno};
  const auto uid = e.uid.value_or(tree.owner.uid), gid = e.gid.value_or(tree.owner.gid);
  if (const int problem = where.give_owner(file->get(), uid, gid)) throw answer_errno{problem};
  if (const int problem = where.give_mode(file->get(), e.shown().mode)) throw answer_errno{problem};
  // Something that the index does not know stands there: it was put there since the last scan.
  if (const int problem = where.rename_into_place(unnamed.key, directory.get(), e.name, outdated))
    throw answer_errno{problem == EEXIST ? EIO : problem};
  unfinished_file unfinished{directory.get(), e.name.c_str()};
  tree.archive.index().run([&](index::transaction& t) {
    const auto now = stat_destination(tree, file->get(), "");
    index::apply_creation(t, {e.parent, e.name, now.attributes, now.uid, now.gid, ""}, wall_nanoseconds());
  });
  unfinished.keep();
  return file;
}

}  // namespace ferryfs::fs
