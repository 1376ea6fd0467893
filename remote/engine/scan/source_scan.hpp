// One scan of the source: its directories, many at a time, merged into the index as they come.
//
// A directory whose mtime is that of its last complete listing is not listed again, unless the scan is a full one; each
// of its subdirectories is asked for. Failures are of single directories: what they hold stays as it was known. A
// directory whose connection was lost is asked for again, over the next one. A name that a listing does not hold is
// gone only if the source says so when it is asked for that name (absence_check.hpp), and if at the end of the scan
// what is gone is not too much to be believed (disappearance.hpp).
//
// Threads: any. The archive's threads and the index's writer bring the scan forward; it lives until its last answer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/base/time.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/update/merge.hpp"
#include "remote/engine/scan/disappearance.hpp"
#include "remote/engine/source_facts.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/filter.hpp"

namespace ferryfs::remote {

class source_scan : public std::enable_shared_from_this<source_scan> {
 public:
  struct result {
    std::uint64_t directories = 0, names = 0, skipped = 0;  // skipped: directories that had not changed
    std::vector<failure> failures;                          // the first few
    bool cut_short = false;                                 // not all directories were asked for
    bool empty = false;                                     // the source shows no name at all
    std::string suspicious;  // why what is gone is not believed; one line with the remedy
    bool complete() const noexcept { return failures.empty() && suspicious.empty(); }
  };
  struct dependencies {
    archive& source;
    index::writer& index;
    index::readers& readers;
    const filter& excluded;
    // A directory's listing is in the index, or can't be had. Called on the writer's or an archive's thread: it takes
    // no lock that is held while anybody waits for the writer.
    std::function<void(inode, const std::optional<failure>&)> on_listed;
    std::function<void(const result&)> on_finished;  // called once
    time_range times = {};                           // that the destination's files can have
    belief believes = {};
  };

  source_scan(dependencies d, bool full) : needs_(std::move(d)), full_(full), gone_(needs_.believes) {}
  void start();
  // Lists this directory ahead of those that wait.
  void prioritize(inode directory);
  result so_far();
  void cancel();

 private:
  struct directory {
    inode ino;
    std::string path;
    file_facts attributes;
    unsigned connection_losses = 0;
    unsigned contradictions = 0;  // how often its listing lacked a name that was there after all
  };
  class directory_listing;
  static std::string shown(const directory& d);
  // As the index is to know it.
  file_facts facts_of(const attributes& a) const { return remote::facts_of(a, needs_.times); }

  void add_directories(const std::vector<index::subdirectory>& list);
  void visit_waiting();
  void visit(const directory& d);
  void skip(const directory& d);
  void list(const directory& d);
  void stat(const directory& d);
  void on_stat(const directory& d, const std::optional<failure>& why);
  bool should_retry(directory& d, const std::optional<failure>& why);
  bool is_cancelled();
  void count_names(std::size_t n);
  void set_empty();
  void add_gone(const std::vector<inode>& gone);
  void on_directory_done(inode ino, const std::optional<failure>& why, bool notify = true);
  void record_unlisted(inode ino, const failure& why);
  void conclude();
  void bring_back();

  const dependencies needs_;
  const bool full_;
  mutex mutex_{lock_level::source_scan};
  std::deque<directory> waiting_ GUARDED_BY(mutex_);
  std::size_t running_ GUARDED_BY(mutex_) = 0;  // visits that have begun and not ended
  bool cancelled_ GUARDED_BY(mutex_) = false;
  bool visiting_ GUARDED_BY(mutex_) = false;  // one thread is in the loop of visit_waiting
  bool finished_ GUARDED_BY(mutex_) = false;
  bool disk_failed_ GUARDED_BY(mutex_) = false;  // something that was listed is not in the index
  result result_ GUARDED_BY(mutex_);
  disappearance gone_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::remote
