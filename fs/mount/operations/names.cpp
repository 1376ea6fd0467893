// mkdir, symlink, mknod, unlink, rmdir, rename: first on the destination's disk, where the name is, then in the index.
// A name that is only on the source has nothing on the disk: the index alone changes, and nothing is fetched.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "fs/mount/change/mutation.hpp"
#include "fs/mount/change/unfinished_file.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "index/base/path.hpp"
#include "remote/destination/rename_recovery.hpp"

namespace ferryfs::fs {
namespace {

entry entry_of(view& v, inode ino) {
  auto e = v.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  return *std::move(e);
}

bool is_empty(view& v, const entry& directory) {
  bool empty = true;
  v.archive.readers().borrow()->children(directory.ino, "", [&](entry&&) { return empty = false; });
  return empty && !directory.never_listed();
}

// `make(directory)` makes `name` on the disk, for ferryfs's user alone where it is to get a `mode`; the index and the
// kernel are told of it. `removal_flags`: of unlinkat(2), to take it away where one of these fails.
template <typename Make>
void make_name(fuse_req_t req, fuse_ino_t parent, const char* name, std::optional<mode_t> mode,
               const std::string& target, int removal_flags, Make&& make) {
  view& v = view::of(req);
  refuse_virtual(v, parent, name);
  const entry directory = entry_of(v, parent);
  inode ino = 0;
  {
    const name_change changing{v};
    const auto here = open_destination_directory(v, parent, true);
    if (make(here.get()) != 0) throw answer_errno{errno};
    unfinished_file unfinished{here.get(), name, removal_flags};
    chown_new(v, req, directory, here.get(), name);
    // Last: a new owner takes set-user-id away.
    if (mode) change_mode(unique_fd{::openat(here.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC)}.get(), *mode);
    const auto now = stat_destination(v, here.get(), name, target);
    ino = v.archive.index().run([&](index::transaction& t) {
      return index::record_created(t, {parent, name, now.attributes, now.uid, now.gid, target}, now_ns());
    });
    unfinished.keep();
  }
  reply_entry(req, v, ino);
}

// The file on the disk; nothing: none is there.
std::optional<struct stat> on_disk(const unique_fd& directory, const char* name) {
  struct stat st {};
  const bool there = directory && ::fstatat(directory.get(), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
  return there ? std::optional(st) : std::nullopt;
}

// Of what the disk is about to do; after a crash the next start finds out whether it did.
void intend(view& v, const index::rename_intent& r) {
  v.archive.index().run([&](index::transaction& t) {
    t.forget_rename(r.ino);
    t.intend_rename(r);
  });
}

// The same of an entry that gets another name. A power cut that leaves the disk's part alone would show what the source
// has of it under its old name again.
void intend_durably(view& v, const entry& of, const index::rename_intent& r) {
  intend(v, r);
  if (!of.source && !of.is_directory()) return;
  try {
    v.archive.index().make_durable();
  } catch (...) {
    v.archive.index().run([&](index::transaction& t) { t.forget_rename(r.ino); });
    throw;
  }
}

// The disk did not do it.
[[noreturn]] void fail_rename(view& v, inode ino, int problem) {
  v.archive.index().run([&](index::transaction& t) { t.forget_rename(ino); });
  throw answer_errno{problem};
}

std::string path_of_entry(view& v, inode ino) {
  return v.archive.look([&](auto& rows) { return rows.path(ino); }).value_or("");
}

// Removes the file `name`, if there is one, before `whose` is removed from the index or gets that name.
void remove_file(view& v, const entry& whose, inode parent, const char* name, const unique_fd& directory) {
  const auto file = on_disk(directory, name);
  if (!file) return;
  const auto removal = index::rename_intent::removal(
      whose.ino, parent, name, remote::identity_of(directory.get(), name, remote::identity::exact),
      join(path_of_entry(v, parent), name));
  const bool goes_itself = whose.parent == parent && whose.name == name;
  goes_itself ? intend(v, removal) : intend_durably(v, whose, removal);
  if (::unlinkat(directory.get(), name, S_ISDIR(file->st_mode) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
    fail_rename(v, whose.ino, errno);
}

// `from`, which has a file in `at`, is to get that name; in place of `replaced`, which is exchanged for it or goes.
void intend_rename(view& v, const entry& from, const unique_fd& at, inode parent, const std::string& name,
                   std::uint64_t replaced, inode exchanged) {
  index::rename_intent r{from.ino, parent, name, exchanged,
                         remote::identity_of(at.get(), from.name.c_str(), remote::identity::kept_by_rename)};
  r.old_parent = from.parent, r.replaced = replaced;
  r.old_path = path_of_entry(v, from.ino), r.new_path = join(path_of_entry(v, parent), name);
  intend_durably(v, from, r);
}

void remove_name(fuse_req_t req, fuse_ino_t parent, const char* name, bool directory) {
  view& v = view::of(req);
  const entry e = child_of(v, parent, name);
  if (directory && !e.is_directory()) throw answer_errno{ENOTDIR};
  if (!directory && e.is_directory()) throw answer_errno{EISDIR};
  const name_change changing{v};
  if (directory && !is_empty(v, e)) throw answer_errno{ENOTEMPTY};
  remove_file(v, e, parent, name, open_destination_directory(v, parent, false));
  v.archive.index().run([&](index::transaction& t) { index::record_removed(t, e.ino, now_ns()); });
}

// A file system may take a name for that of another file (its case, its normalisation), which is not to be replaced.
void refuse_look_alike(view& v, const unique_fd& directory, const char* name, const struct stat& file) {
  if (!v.archive.where().is_look_alike(directory.get(), name)) return;
  if (const auto other = on_disk(directory, name); other && other->st_ino != file.st_ino) throw answer_errno{EEXIST};
}

// Where a rename replaces a file, ext4 makes the bytes of the new one durable before; a missing picture has no file
// here, and is not to be hidden by an empty one after a power cut.
void make_durable(const unique_fd& directory, const char* name) {
  const unique_fd file{::openat(directory.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file || ::fdatasync(file.get()) != 0) throw answer_errno{errno};
}

// On the disk; what is not here needs no more than that what stood under the new name goes.
void move_here(view& v, const entry& from, fuse_ino_t parent, const char* name, const std::optional<entry>& there) {
  const auto old_directory = open_destination_directory(v, from.parent, false);
  if (const auto file = on_disk(old_directory, from.name.c_str())) {
    const auto new_directory = open_destination_directory(v, parent, true);
    refuse_look_alike(v, new_directory, name, *file);
    if (there && (there->is_gap() || there->state == state::refused) && S_ISREG(file->st_mode))
      make_durable(old_directory, from.name.c_str());
    intend_rename(v, from, old_directory, parent, name,
                  remote::identity_of(new_directory.get(), name, remote::identity::exact), 0);
    if (::renameat(old_directory.get(), from.name.c_str(), new_directory.get(), name) != 0)
      fail_rename(v, from.ino, errno);
    return;
  }
  if (there) remove_file(v, from, parent, name, open_destination_directory(v, parent, false));
}

void exchange(view& v, const entry& one, const entry& other) {
  const auto first = open_destination_directory(v, one.parent, true),
             second = open_destination_directory(v, other.parent, true);
  const auto has_one = on_disk(first, one.name.c_str()), has_other = on_disk(second, other.name.c_str());
  const auto identity = [](const unique_fd& at, const entry& e) {
    return remote::identity_of(at.get(), e.name.c_str(), remote::identity::exact);
  };
  if (has_one)
    intend_rename(v, one, first, other.parent, other.name, identity(second, other), other.ino);
  else if (has_other)
    intend_rename(v, other, second, one.parent, one.name, identity(first, one), one.ino);
  int result = 0;
  if (has_one && has_other)
    result = ::renameat2(first.get(), one.name.c_str(), second.get(), other.name.c_str(), RENAME_EXCHANGE);
  else if (has_one)
    result = ::renameat(first.get(), one.name.c_str(), second.get(), other.name.c_str());
  else if (has_other)
    result = ::renameat(second.get(), other.name.c_str(), first.get(), one.name.c_str());
  if (result != 0) fail_rename(v, has_one ? one.ino : other.ino, errno);
  v.archive.index().run([&](index::transaction& t) { index::record_exchanged(t, one.ino, other.ino, now_ns()); });
}

void rename_name(view& v, const entry& from, fuse_ino_t parent, const char* name, unsigned flags) {
  const auto there = v.archive.readers().borrow()->child(parent, name);
  if ((flags & RENAME_EXCHANGE) != 0) {
    if (!there) throw answer_errno{ENOENT};
    return exchange(v, from, *there);
  }
  if (there && (flags & RENAME_NOREPLACE) != 0) throw answer_errno{EEXIST};
  if (there && there->is_directory() && !from.is_directory()) throw answer_errno{EISDIR};
  if (there && !there->is_directory() && from.is_directory()) throw answer_errno{ENOTDIR};
  if (there && there->is_directory() && !is_empty(v, *there)) throw answer_errno{ENOTEMPTY};
  move_here(v, from, parent, name, there);
  v.archive.index().run([&](index::transaction& t) { index::record_renamed(t, from.ino, parent, name, now_ns()); });
}

}  // namespace

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  answer(req, [&] {
    view& v = view::of(req);
    refuse_virtual(v, parent, name);
    const mode_t inherited = entry_of(v, parent).shown().mode & S_ISGID;
    make_name(req, parent, name, mode | inherited, "", AT_REMOVEDIR, [&](int at) { return ::mkdirat(at, name, 0700); });
  });
}

void op_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  answer(req,
         [&] { make_name(req, parent, name, {}, target, 0, [&](int at) { return ::symlinkat(target, at, name); }); });
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  answer(req, [&] {
    make_name(req, parent, name, mode, "", 0,
              [&](int at) { return ::mknodat(at, name, (mode & S_IFMT) | 0600, device); });
  });
}

// One name a picture: a second one would be fetched, counted and compared as another.
void op_link(fuse_req_t req, fuse_ino_t, fuse_ino_t, const char*) { fuse_reply_err(req, EPERM); }

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&] {
    remove_name(req, parent, name, false);
    fuse_reply_err(req, 0);
  });
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&] {
    remove_name(req, parent, name, true);
    fuse_reply_err(req, 0);
  });
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent, const char* new_name,
               unsigned flags) {
  answer(req, [&] {
    view& v = view::of(req);
    if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) throw answer_errno{EINVAL};
    refuse_virtual(v, new_parent, new_name);
    const entry from = child_of(v, parent, name);
    {
      const rename_change changing{v};
      record_written(v, from.ino);
      rename_name(v, from, new_parent, new_name, flags);
    }
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
