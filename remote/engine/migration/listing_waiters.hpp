// The readers that wait for a directory of the source to be listed for the first time.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/base/serial_executor.hpp"
#include "index/db/reader.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// Threads: any.
class listing_waiters {
 public:
  // Called once: the directory's listing is in the index, or cannot be had. By `answers`, or by `await`.
  using callback = std::function<void(const std::optional<failure>&)>;

  // All outlive this.
  listing_waiters(archive& source, index::readers& readers, serial_executor& answers)
      : source_(source), readers_(readers), answers_(answers) {}

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
  void post(std::vector<callback> calls, const std::optional<failure>& why);

  archive& source_;
  index::readers& readers_;
  serial_executor& answers_;
  // Held while a reader is borrowed: `add` sees a listing that is in the index, and `notify` reports a later one.
  mutex mutex_{lock_level::listing_waiters};
  bool open_ GUARDED_BY(mutex_) = false;
  std::unordered_map<inode, std::vector<callback>> calls_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::remote
