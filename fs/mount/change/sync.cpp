// flush, fsync, fsyncdir: the index learns of what was written, and is as durable as the disk.
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "index/base/clock.hpp"

namespace ferryfs::fs {

void record_written(merged_tree& tree, inode ino) {
  const auto file = tree.written.begin_recording(ino);
  if (!file) return;
  struct recording {
    written_files& files;
    inode ino;
    struct stat now {};
    bool stored = false;
    ~recording() { files.end_recording(ino, stored ? &now : nullptr); }
  } r{tree.written, ino};
  // Two that record one file are kept in order by the writer alone: so it is in its turn that the size is read.
  const auto record = [&](index::transaction& t) {
    if (disk().fstat(file->get(), &r.now) != 0) throw std::system_error{errno, std::generic_category()};
    if (r.now.st_nlink == 0) return true;  // removed: the name may stand for another file by now
    const auto now = listed_of(tree, r.now);
    index::apply_local_change(t, ino, now.attributes, now.uid, now.gid, true, wall_nanoseconds());
    const auto e = t.by_inode(ino);
    return e && e->state == state::added;
  };
  // Of what is only here, a scan of the destination would find the same. Of others it would not, as where a picture was
  // overwritten by one of the same size: the caller gets the error here if that cannot be stored.
  if (!tree.archive.index().run_deferred(record)) tree.archive.index().run(record);
  r.stored = true;
}

void sync_picture(merged_tree& tree, open_file& handle, bool data_only) {
  if (const auto file = handle.file())
    if ((data_only ? disk().fdatasync(file->get()) : disk().fsync(file->get())) != 0) throw answer_errno{errno};
  record_written(tree, handle.ino);
  tree.archive.index().sync(handle.ino);
}

// Removals and renames in the directory become durable: the disk's part and the index's.
void sync_directory(merged_tree& tree, inode ino) {
  const auto open = [&] {
    const name_change reading{tree};
    return open_destination_directory(tree, ino, false);
  };
  if (const auto here = open(); here && disk().fsync(here.get()) != 0) throw answer_errno{errno};
  tree.archive.index().sync();
}

}  // namespace ferryfs::fs
