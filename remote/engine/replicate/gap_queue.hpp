// The gaps to be replicated, newest day first. The queue is a query: nothing is held in memory but the place in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "index/db/reader.hpp"

namespace ferryfs::remote {

// The replicator's thread alone.
class gap_queue {
 public:
  explicit gap_queue(index::readers& readers) : readers_(readers) {}

  // Begins anew with the newest day.
  void rewind() { day_ = newest, ino_ = 0; }
  // The next gaps, some hundreds at most; when none are left, the failed ones whose `retry_at` has passed.
  std::vector<entry> next();
  // Goes on behind this gap. False: it is a failed one, which has no place in the queue.
  bool pass(const entry& gap);
  // The path of a gap on the source; empty: it has just left the index.
  std::string path_of(const entry& gap);

 private:
  static constexpr std::int32_t newest = 99999999;  // before any day

  index::readers& readers_;
  std::int32_t day_ = newest;
  inode ino_ = 0;
  inode parent_ = 0;  // of the last gap, with its path
  std::string parent_path_;
};

}  // namespace ferryfs::remote
