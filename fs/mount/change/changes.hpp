// All that a user can do at the mount that changes something, a topic a file. What the handlers of fs/mount/operations
// have done to the destination's disk and to the index, in the order that a crash needs; a simulation without FUSE
// calls the same.
//
// None waits for the network. What needs all of a missing picture first says so, and is done after hydrate(). Each
// throws answer_errno, remote::failure or std::system_error; errno_of_current_exception() makes of them what the user
// gets. Names and inodes are the archive's own: `.ferryfs` in the root is refused (EPERM). Whether the user may is the
// kernel's to judge. Threads: any; they wait for the disk, for the index's writer and for the lock of the namespace.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fs/mount/view/answers.hpp"
#include "fs/mount/view/merged_tree.hpp"

namespace ferryfs::fs {

// The process that asks: what it makes is its own.
struct caller {
  uid_t uid = 0;
  gid_t gid = 0;
};

// hydrate.cpp

// Calls `done` once, on a thread that may wait for the disk, when the picture is local (possibly before this returns),
// or with why it cannot be. ENOENT.
void hydrate(merged_tree& tree, inode ino, std::function<void(const std::optional<remote::failure>&)> done);

// make.cpp

// mkdir(2), symlink(2), mknod(2), with the mode as the kernel gives it. EEXIST, ENOENT.
shown_entry make_directory(merged_tree& tree, caller who, inode parent, const char* name, mode_t mode);
shown_entry make_link(merged_tree& tree, caller who, inode parent, const char* name, const std::string& target);
shown_entry make_node(merged_tree& tree, caller who, inode parent, const char* name, mode_t mode, dev_t device);

// remove.cpp

// unlink(2), rmdir(2): what the source has of it stays hidden (a tombstone), and is not fetched. ENOENT, EISDIR,
// ENOTDIR, ENOTEMPTY.
void remove_name(merged_tree& tree, inode parent, const char* name);
void remove_directory(merged_tree& tree, inode parent, const char* name);

// rename.cpp

// renameat2(2) with 0, RENAME_NOREPLACE or RENAME_EXCHANGE. EINVAL, ENOENT, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY.
void rename_entry(merged_tree& tree, inode parent, const char* name, inode new_parent, const char* new_name,
                  unsigned flags);

// set_attributes.cpp

struct attribute_changes {
  std::optional<mode_t> mode{};
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
  std::optional<off_t> size{};
  std::optional<timespec> atime{}, mtime{};  // tv_nsec may be UTIME_NOW
};
// truncate(2), chmod(2), chown(2), utimensat(2). Of what is missing all but a size is kept in the index until it
// arrives. What it then is like; or nothing: it is missing, and gets a size other than 0 by
// set_attributes_of_hydrated(). ENOENT.
std::optional<kernel_attributes> set_attributes(merged_tree& tree, inode ino, const attribute_changes& to);
kernel_attributes set_attributes_of_hydrated(merged_tree& tree, inode ino, const attribute_changes& to);

// extended_attributes.cpp

// setxattr(2); false: it is missing, and gets one by set_extended_attribute_of_hydrated(). EPERM for user.ferryfs.*,
// EOPNOTSUPP.
bool set_extended_attribute(merged_tree& tree, inode ino, const char* name, std::string_view value, int flags);
void set_extended_attribute_of_hydrated(merged_tree& tree, inode ino, const char* name, std::string_view value,
                                        int flags);
// removexattr(2). ENODATA.
void remove_extended_attribute(merged_tree& tree, inode ino, const char* name);

// open.cpp

// open(2) of a file with its `flags`; O_TRUNC of a missing picture fetches nothing. begin_open() follows, or
// refuse_open(). ENOENT, EBUSY.
handle_pointer open_picture(merged_tree& tree, inode ino, int flags);
// open(2) with O_CREAT of a name that is not there. The same follows. EEXIST, ENOENT.
struct created_picture {
  handle_pointer handle;
  shown_entry entry;
};
created_picture create_picture(merged_tree& tree, caller who, inode parent, const char* name, mode_t mode, int flags);
// Lets the kernel read and write `handle`, by the way that is returned. EBUSY.
open_mode begin_open(merged_tree& tree, const handle_pointer& handle, int flags, const backing_files& kernel);

// The end of it, at the last close (release): enters what was written in the index.
void end_open(merged_tree& tree, const handle_pointer& handle, const backing_files& kernel);
// Like end_open for an open whose answer nobody took, and for one that could not begin: what it truncated is entered.
// Throw nothing, as there is nobody to tell.
void abandon_open(merged_tree& tree, const handle_pointer& handle, const backing_files& kernel) noexcept;
void refuse_open(merged_tree& tree, const handle_pointer& handle) noexcept;

// write.cpp

// The file in which an open picture is changed; null: it is missing, and has it once it is hydrated. ENOENT, EIO.
std::shared_ptr<const unique_fd> file_to_change(merged_tree& tree, open_file& handle);

// Counts as a write at `offset` what `write` does, which returns how many bytes it has written, or less than 0.
template <typename Write>
ssize_t write_by(merged_tree& tree, const open_file& handle, const std::shared_ptr<const unique_fd>& file, off_t offset,
                 Write&& write) {
  written_files::pending_write under_way{tree.written, handle.ino, file};
  const ssize_t n = write();
  if (n > 0) under_way.reached(offset + n);
  return n;
}

// pwrite(2), fallocate(2). `file` is what file_to_change() gave for `handle`. The index learns size and time at
// record_written(); until then written_files shows them.
std::size_t write_bytes(merged_tree& tree, const open_file& handle, const std::shared_ptr<const unique_fd>& file,
                        std::string_view bytes, off_t offset);
void allocate_range(merged_tree& tree, const open_file& handle, const std::shared_ptr<const unique_fd>& file, int mode,
                    off_t offset, off_t length);
// copy_file_range(2). EXDEV where one of the two is not here: the kernel copies by reading and writing.
std::size_t copy_range(merged_tree& tree, open_file& from, off_t from_offset, open_file& to, off_t to_offset,
                       std::size_t length);

// sync.cpp

// At each close(2) of a descriptor (flush), and whenever the index is to be right: enters what was written to `ino`, if
// anything was.
void record_written(merged_tree& tree, inode ino);
// fsync(2) and fdatasync(2), of a picture and of a directory: the index is then as durable as the disk.
void sync_picture(merged_tree& tree, open_file& handle, bool data_only);
void sync_directory(merged_tree& tree, inode ino);

}  // namespace ferryfs::fs
