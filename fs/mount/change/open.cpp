// open, create, release.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/change/unfinished_file.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/local_file.hpp"
#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"

namespace ferryfs::fs {
namespace {

// Whether a mapping of it may write.
bool may_map_to_write(int flags) { return (flags & O_ACCMODE) == O_RDWR; }

// Opens the file that `handle` is to write to and enters the handle among the open ones, in one step under the lock of
// names: whoever decides about the bytes here holds that lock exclusively, and so sees the handle. False: the picture
// is not here.
bool open_to_change(merged_tree& tree, const handle_pointer& handle, bool truncates, bool maps) {
  const shared_lock held{tree.archive.where().namespace_lock()};
  const auto e = tree.archive.readers().borrow()->by_inode(handle->ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (e->is_local()) {
    // Written through one's own open file, read through it as well: the kernel fills pages that are written in part.
    const auto file = open_named(tree, *e, handle->writes || truncates ? O_RDWR : O_RDONLY);
    if (maps && tree.passthrough.passes_another(e->ino, *file)) throw answer_errno{EBUSY};
    if (truncates && disk().ftruncate(file->get(), 0) != 0) throw answer_errno{errno};
    handle->set_file(file);
    if (truncates) tree.written.mark(handle->ino, file);
  }
  tree.open_pictures.add(handle);
  return e->is_local();
}

void open_to_read(merged_tree& tree, const handle_pointer& handle) {
  std::optional<entry> e;
  std::optional<std::string> path;
  {
    const auto reader = tree.archive.readers().borrow();
    const auto frozen = reader->freeze();
    e = reader->by_inode(handle->ino);
    if (e && e->is_local()) path = reader->path(handle->ino);
  }
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  handle->unsized = e->is_unsized();
  if (e->is_local()) {
    if (!path) throw answer_errno{ENOENT};
    handle->set_file(open_local(tree, *e, *path, O_RDONLY));
  }
  tree.open_pictures.add(handle);
}

// An empty file under the name, and what the index has made of it.
std::shared_ptr<const unique_fd> make_file(merged_tree& tree, caller who, const entry& directory, const char* name,
                                           mode_t mode, int flags, inode& ino) {
  const name_change changing{tree};
  const auto here = open_destination_directory(tree, directory.ino, true);
  if (tree.archive.where().is_look_alike(here.get(), name)) throw answer_errno{EEXIST};
  constexpr int own = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  auto file = std::make_shared<unique_fd>(disk().openat(here.get(), name, own | O_CREAT | O_EXCL, 0600));
  unfinished_file unfinished{here.get(), name};
  if (!*file) unfinished.keep();
  if (!*file && errno == EEXIST && (flags & O_EXCL) == 0)  // the index does not know it yet
    file = std::make_shared<unique_fd>(disk().openat(here.get(), name, own | (flags & O_TRUNC)));
  if (!*file) throw answer_errno{errno};
  chown_new(tree, who, directory, here.get(), name);
  if (disk().fchmod(file->get(), mode & 07777) != 0) throw answer_errno{errno};
  const auto now = stat_destination(tree, file->get(), "");
  ino = tree.archive.index().run_deferred([&](index::transaction& t) {
    return index::apply_creation(t, {directory.ino, name, now.attributes, now.uid, now.gid, ""}, wall_nanoseconds());
  });
  unfinished.keep();
  return file;
}

}  // namespace

handle_pointer open_picture(merged_tree& tree, inode ino, int flags) {
  const bool writes = (flags & O_ACCMODE) != O_RDONLY, truncates = (flags & O_TRUNC) != 0;
  auto handle = std::make_shared<open_file>(ino, writes);
  if (!writes && !truncates) {
    open_to_read(tree, handle);
  } else if (!open_to_change(tree, handle, truncates, may_map_to_write(flags)) && truncates) {
    try {
      handle->set_file(replace_missing(tree, ino));
    } catch (...) {
      tree.open_pictures.remove(handle);
      throw;
    }
  }
  return handle;
}

created_picture create_picture(merged_tree& tree, caller who, inode parent, const char* name, mode_t mode, int flags) {
  refuse_own_directory(parent, name);
  const auto row_of = [&](inode at) { return tree.archive.look([at](auto& rows) { return rows.by_inode(at); }); };
  const auto directory = row_of(parent);
  if (!directory || is_hidden(directory->state)) throw answer_errno{ENOENT};
  inode ino = 0;
  auto file = make_file(tree, who, *directory, name, mode, flags, ino);
  const auto generation = tree.written.generation();
  const auto e = row_of(ino);
  if (!e) throw answer_errno{EIO};
  auto handle = std::make_shared<open_file>(ino, true);
  handle->set_file(std::move(file));
  const shown_entry shown{ino, attributes_of(tree, generation, *e)};
  tree.open_pictures.add(handle);
  return {std::move(handle), shown};
}

open_mode begin_open(merged_tree& tree, const handle_pointer& handle, int flags, const backing_files& kernel) {
  const auto file = handle->file();
  // A process that may map it writes on after its last close, and of a mapping that is passed through the kernel says
  // nothing.
  const bool seen = handle->writes && (may_map_to_write(flags) || (file && is_just_written(*file)));
  auto mode = tree.passthrough.enter(handle->ino, file.get(), seen, flags, kernel);
  mode.has_no_flush = !handle->writes;
  const bool passes = mode.backing != 0;
  if (handle->unsized && !passes) mode.is_direct = true, mode.keeps_cache = false;
  handle->maps_past_us = passes && may_map_to_write(flags);
  if (handle->writes) tree.written.begin_writing(handle->ino, file);
  return mode;
}

namespace {

// The handle is open no more; enters what was written in the index.
void close_handle(merged_tree& tree, const handle_pointer& handle) {
  tree.open_pictures.remove(handle);
  record_written(tree, handle->ino);  // a shared mapping may have been written after the last close
}

template <typename Close>
void close_quietly(const handle_pointer& handle, Close&& close) noexcept {
  try {
    close();
  } catch (const std::exception& e) {
    spdlog::error("what was written to inode {} is not in the index: {}", handle->ino, e.what());
  }
}

}  // namespace

void end_open(merged_tree& tree, const handle_pointer& handle, const backing_files& kernel) {
  const struct ending {
    merged_tree& all;
    open_file& ended;
    const backing_files& backing;
    ~ending() {
      if (ended.writes) all.written.end_writing(ended.ino);
      all.passthrough.leave(ended.ino, backing);
    }
  } end{tree, *handle, kernel};
  if (const auto file = handle->file(); file && handle->maps_past_us)
    tree.mapped.follow(handle->ino, *file, [&tree](inode ino) { record_written(tree, ino); });
  close_handle(tree, handle);
}

void abandon_open(merged_tree& tree, const handle_pointer& handle, const backing_files& kernel) noexcept {
  close_quietly(handle, [&] { end_open(tree, handle, kernel); });
}

void refuse_open(merged_tree& tree, const handle_pointer& handle) noexcept {
  close_quietly(handle, [&] { close_handle(tree, handle); });
}

}  // namespace ferryfs::fs
