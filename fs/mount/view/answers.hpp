// All that a user can ask of the mount and that changes nothing, a topic a file. What the handlers of
// fs/mount/operations answer with, and a simulation without FUSE is told.
//
// Each answers from the index or a local file, and none waits for the network: what has to be fetched or listed first
// is said, and asked for by what stands beside it. Each throws answer_errno, remote::failure or std::system_error;
// errno_of_current_exception() makes of them what the user gets. Nothing here knows of .ferryfs/, whose inodes have no
// rows. Threads: any.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "fs/mount/view/attributes.hpp"
#include "fs/mount/view/merged_tree.hpp"

namespace ferryfs::fs {

// attributes.cpp

// fstat(2), also of what was removed while somebody has it open. ENOENT.
kernel_attributes attributes(merged_tree& tree, inode ino);

// lookup.cpp

// The entry that a name stands for.
struct shown_entry {
  inode ino = 0;  // 0: the name is not there
  kernel_attributes attributes{};
};
// Nothing: the directory was never listed, and only its listing (migration::when_listed) can tell. ENAMETOOLONG.
std::optional<shown_entry> look_up(merged_tree& tree, inode parent, const char* name);
// The same once it was listed, or could not be: `why`, which is thrown where the name is not known.
shown_entry look_up_listed(merged_tree& tree, inode parent, const std::string& name,
                           const std::optional<remote::failure>& why);
// The entry that a change has just made. ENOENT.
shown_entry show(merged_tree& tree, inode ino);

// listing.cpp

// Whether the directory's names are known; else migration::when_listed tells when. ENOENT.
bool is_listed(merged_tree& tree, inode directory);

struct listed_name {
  const char* name;
  kernel_attributes attributes;  // of "." and ".." the inode and the type alone
  bool is_entry;                 // not one of these two
  off_t next;                    // the offset that follows it
};
// Calls `add` with what follows `offset` in a directory that is listed, until it returns false: that name is the first
// of the next call. A name that stays is told once, whatever is renamed or removed between two calls. ESTALE.
void list_names(merged_tree& tree, inode directory, off_t offset, const std::function<bool(const listed_name&)>& add);

// link.cpp

struct link_judgement {
  entry link;
  bool refused = false;           // it leads out of the archive (EACCES)
  std::optional<inode> unlisted;  // only for now: the directory whose listing would tell
};
// Where a symbolic link may lead is judged whenever somebody follows it. ENOENT, EINVAL.
link_judgement judge_link(merged_tree& tree, inode ino);

// extended_attributes.cpp

inline constexpr std::string_view own_attributes = "user.ferryfs.";
// Whether a name is one of those that the destination's files may have, or one of ferryfs's own.
bool is_passed_on(std::string_view name);
struct extended_attribute {
  std::size_t length = 0;
  std::string value;  // empty where it was asked for with `size` 0
};
// getxattr(2), with `size` bytes of room: user.ferryfs.* as the index has it, others of the destination's own file.
// ENODATA, ERANGE, EOPNOTSUPP.
extended_attribute extended_attribute_of(merged_tree& tree, inode ino, const char* name, std::size_t size);
// listxattr(2): each name and a zero byte. `privileged`: trusted.* are shown.
std::string extended_attribute_names(merged_tree& tree, inode ino, bool privileged);

// read.cpp

// Where the bytes of an open picture are read from at this moment; null: it is missing, see read_missing(). EIO where
// it has become another of another size, ETIMEDOUT at once after a read of it was.
std::shared_ptr<const unique_fd> file_to_read(merged_tree& tree, open_file& handle);

// The bytes asked for: to be read from a file at their offset, or by themselves, fewer only at the picture's end.
using missing_bytes = std::variant<std::shared_ptr<const unique_fd>, std::span<const std::byte>>;
// One who waits for bytes of a missing picture. Threads: any.
class read_waiter {
 public:
  virtual ~read_waiter() = default;
  // Called once, when the bytes can be read or never will be. `bytes` gives them, or throws why not; it is called, if
  // at all, before this returns, and not where the reader waits no more.
  virtual void answer(const std::function<missing_bytes()>& bytes) = 0;
  virtual bool is_answered() = 0;
  // It is the reader `id` of the fetch (see fetcher::cancel): once, or twice where the picture became another.
  virtual void waits_as(std::uint64_t id) = 0;
};
// Fetches bytes [offset, offset + size), and then the whole picture.
void read_missing(merged_tree& tree, const handle_pointer& handle, std::size_t size, off_t offset,
                  const std::shared_ptr<read_waiter>& waiter);

// lseek(2) with SEEK_DATA or SEEK_HOLE; of a missing picture all is data. ENXIO.
off_t seek(merged_tree& tree, open_file& handle, off_t offset, int whence);

}  // namespace ferryfs::fs
