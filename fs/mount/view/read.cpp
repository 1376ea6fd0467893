// Bytes. Opening fetches nothing; the first read of a missing picture does.
#include <fcntl.h>
#include <sys/stat.h>

#include <exception>

#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/answers.hpp"
#include "fs/mount/view/local_file.hpp"

namespace ferryfs::fs {
namespace {

using remote::direct_read;
using remote::failure;
using remote::partial_read;

bool is_same_file(const unique_fd& one, const unique_fd& other) {
  struct stat a {
  }, b{};
  return disk().fstat(one.get(), &a) == 0 && disk().fstat(other.get(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

// The picture of an open file may be another now, and its file an outdated copy: bytes of that would stay in the
// kernel's pages for all who read the picture.
void forget_outdated(merged_tree& tree, open_file& handle) {
  const auto e = tree.archive.readers().borrow()->by_inode(handle.ino);
  const auto file = handle.file();
  if (!e || is_hidden(e->state)) return;  // removed, and read on
  if (file && e->is_local()) {
    const auto path = path_of(tree, handle.ino);
    const auto now = path ? tree.archive.where().open(*path, O_PATH | O_NOFOLLOW) : unique_fd{};
    if (!now || is_same_file(*file, now)) return;
  }
  handle.forget();
}

// The picture has become local, or `why` not.
std::shared_ptr<const unique_fd> file_come(merged_tree& tree, open_file& handle, const failure* why) {
  if (why != nullptr) throw failure{*why};
  const auto e = tree.archive.readers().borrow()->by_inode(handle.ino);
  if (!e) throw answer_errno{ENOENT};
  auto file = open_local(tree, *e, O_RDONLY);
  if (!handle.may_read(*file)) throw answer_errno{EIO};
  if (!handle.writes) handle.set_file(file);  // else it is opened under the names' lock, by its next read
  return file;
}

// Runs `begin`; what it throws is what the waiter is answered.
template <typename Begin>
void begin_or_answer(const std::shared_ptr<read_waiter>& waiter, Begin&& begin) {
  try {
    begin();
  } catch (...) {
    const auto why = std::current_exception();
    waiter->answer([&]() -> missing_bytes { std::rethrow_exception(why); });
  }
}

void wait_for_bytes(merged_tree& tree, const handle_pointer& handle, std::size_t size, off_t offset,
                    const std::shared_ptr<read_waiter>& waiter, bool once_more) {
  waiter->waits_as(tree.archive.fetch().await_range(
      handle->ino, static_cast<std::uint64_t>(offset), size,
      [&tree, handle, size, offset, waiter, once_more](const remote::read_result& o) {
        if (const auto* ready = std::get_if<partial_read>(&o)) {
          const bool taken = handle->take(*ready);
          return waiter->answer([&]() -> missing_bytes {
            if (!taken) throw answer_errno{EIO};
            return ready->file;
          });
        }
        if (const auto* unkept = std::get_if<direct_read>(&o)) {
          const bool taken = handle->take(*unkept);
          return waiter->answer([&]() -> missing_bytes {
            if (!taken) throw answer_errno{EIO};
            return std::span{unkept->bytes};
          });
        }
        const auto* why = std::get_if<failure>(&o);
        // Another picture than the index knew: the index has learnt it, and it is fetched in its new form.
        if (why != nullptr && why->why == remote::cause::changed && once_more && !waiter->is_answered())
          return begin_or_answer(waiter, [&] { wait_for_bytes(tree, handle, size, offset, waiter, false); });
        waiter->answer([&]() -> missing_bytes { return file_come(tree, *handle, why); });
      }));
}

}  // namespace

std::shared_ptr<const unique_fd> file_to_read(merged_tree& tree, open_file& handle) {
  if (handle.doubted()) forget_outdated(tree, handle);
  auto file = handle.writes ? local_of(tree, handle) : handle.file();
  if (file && handle.writes && !handle.may_read(*file)) throw answer_errno{EIO};
  if (!file && handle.timed_out_just_now()) throw answer_errno{ETIMEDOUT};
  return file;
}

void read_missing(merged_tree& tree, const handle_pointer& handle, std::size_t size, off_t offset,
                  const std::shared_ptr<read_waiter>& waiter) {
  begin_or_answer(waiter, [&] { wait_for_bytes(tree, handle, size, offset, waiter, true); });
}

off_t seek(merged_tree& tree, open_file& handle, off_t offset, int whence) {
  if (const auto file = handle.file()) {
    const off_t at = disk().lseek(file->get(), offset, whence);
    if (at < 0) throw answer_errno{errno};
    return at;
  }
  const auto e = tree.archive.readers().borrow()->by_inode(handle.ino);
  if (!e || offset < 0 || offset >= static_cast<off_t>(e->shown().size)) throw answer_errno{ENXIO};
  return whence == SEEK_HOLE ? static_cast<off_t>(e->shown().size) : offset;
}

}  // namespace ferryfs::fs
