// write, fallocate, copy_file_range. Bytes go straight to the local file; the index learns size and time when the file
// is closed or synced, and until then `written_files` shows them.
#include <cerrno>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/local_file.hpp"

namespace ferryfs::fs {

std::shared_ptr<const unique_fd> file_to_change(merged_tree& tree, open_file& handle) { return local_of(tree, handle); }

std::size_t write_bytes(merged_tree& tree, const open_file& handle, const std::shared_ptr<const unique_fd>& file,
                        std::string_view bytes, off_t offset) {
  const auto n = write_by(tree, handle, file, offset,
                          [&] { return disk().pwrite(file->get(), bytes.data(), bytes.size(), offset); });
  if (n < 0) throw answer_errno{errno};
  return static_cast<std::size_t>(n);
}

void allocate_range(merged_tree& tree, const open_file& handle, const std::shared_ptr<const unique_fd>& file, int mode,
                    off_t offset, off_t length) {
  if (disk().fallocate(file->get(), mode, offset, length) != 0) throw answer_errno{errno};
  tree.written.mark(handle.ino, file);
}

std::size_t copy_range(merged_tree& tree, open_file& from, off_t from_offset, open_file& to, off_t to_offset,
                       std::size_t length) {
  const auto in = from.file(), out = local_of(tree, to);
  if (!in || !out) throw answer_errno{EXDEV};
  const auto copied = disk().copy_file_range(in->get(), &from_offset, out->get(), &to_offset, length);
  if (copied < 0) throw answer_errno{errno};
  tree.written.mark(to.ino, out);
  return static_cast<std::size_t>(copied);
}

}  // namespace ferryfs::fs
