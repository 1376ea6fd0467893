// The readers that wait for a directory of the source to be listed for the first time.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/db/reader.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// Threads: any. No callback runs under the lock.
class listing_waiters {
 public:
  // Called once, on any thread: the directory's listing is in the index, or cannot be had.
  using callback = std::function<void(const std::optional<failure>&)>;

  listing_waiters(archive& source, index::readers& readers) : source_(source), readers_(readers) {}

  // A scan runs or is about to: directories that were never listed may be soon.
  void open();
  // True: `call` waits for that. False: it was called before this returned, as the directory's listing is in the index
  // already or no scan runs.
  bool await(inode directory, callback call);
  // The directory was listed, or could not be.
  void notify(inode directory, const std::optional<failure>& why);
  // The scan has ended: directories that it did not reach are not going to be listed now.
  void close(const failure& why);

 private:
  bool add(inode directory, callback& call);
  std::optional<failure> why_not_listed(inode directory);

  archive& source_;
  index::readers& readers_;
  // Held while a reader is borrowed: `add` sees a listing that is in the index, and `notify` reports a later one.
  mutex mutex_;
  bool open_ GUARDED_BY(mutex_) = false;
  std::unordered_map<inode, std::vector<callback>> calls_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::remote
