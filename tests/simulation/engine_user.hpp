// A user whose calls reach disk and index in the order in which the operations of fs/mount do. To be replaced by those
// operations, once they can be called without FUSE.
#pragma once

#include <map>
#include <memory>

#include "index/base/mutex.hpp"
#include "remote/engine/migration/migration.hpp"
#include "tests/simulation/user.hpp"

namespace ferryfs::test {

// Threads: any. Sets what is open in the mount; made before the migration is started, and ended before it.
class engine_user final : public user {
 public:
  explicit engine_user(remote::migration& archive);

  int create(const std::string& path, std::unique_ptr<file>& to) override;
  int open(const std::string& path, how h, std::unique_ptr<file>& to) override;
  int make_directory(const std::string& path) override;
  int remove(const std::string& path) override;
  int rename(const std::string& from, const std::string& to) override;
  int sync_directory(const std::string& path) override;

 private:
  struct handle;
  using descriptor = std::shared_ptr<const unique_fd>;
  // Of one inode: what fs/mount/state/written_files and open_files keep.
  struct opened {
    unsigned readers = 0, writers = 0, recordings = 0;
    bool marked = false;
    descriptor file;
  };

  entry find(const std::string& path);
  unique_fd directory(inode ino, bool make);
  descriptor open_named(const entry& e, int flags);
  descriptor replace_missing(inode ino);
  descriptor hydrate(const entry& e);
  void remove_file(const entry& whose, inode parent, const std::string& name, const unique_fd& at);
  void intend(const index::rename_intent& r, bool durably);
  [[noreturn]] void fail_rename(inode ino, int problem);
  void move_here(const entry& from, inode parent, const std::string& name, const std::optional<entry>& there);
  void record_written(inode ino);
  std::optional<std::string> read_missing(inode ino, std::uint64_t size);

  void mark(inode ino, descriptor file);
  void enter(inode ino, bool writes, descriptor file);
  void leave(inode ino, bool writes);

  remote::migration& archive_;
  const remote::destination& where_;
  std::uint64_t next_partial_ = 0;
  mutex names_{lock_level::command};  // the kernel keeps two changes of a directory's names apart
  mutex mutex_{lock_level::open_files};
  std::map<inode, opened> opened_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::test
