// One scan of the source: its directories, many at a time, merged into the index as they come.
//
// A directory whose mtime is that of its last complete listing is not listed again, unless the scan is a full one; its
// subdirectories are looked at each. Failures are of single directories: what they hold stays as it was known. One that
// lost its connection is asked for again, over the next one. A name that a listing does not hold is gone only if an own
// look says so, and if at the end of the scan what is gone is not too much to be believed (disappearance.hpp).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "index/base/time.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/update/merge.hpp"
#include "remote/engine/scan/disappearance.hpp"
#include "remote/engine/source_side.hpp"
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
  struct services {
    archive& source;
    index::writer& index;
    index::readers& readers;
    const filter& leave_out;
    // Each directory as its listing is in the index, or can't be had. On the writer's or an archive's thread: no lock
    // is taken there that is held while anybody waits for the writer.
    std::function<void(inode, const std::optional<failure>&)> listed;
    std::function<void(const result&)> finished;  // once
    time_range times = {};                        // that the destination's files can have
    belief believes = {};
  };

  // What the index is to know of it.
  file_facts side_of(const attributes& a) const { return as_side(a, services_.times); }

  source_scan(services s, bool full)
      : services_(std::move(s)), full_(full), gone_(services_.readers, services_.believes) {}
  void start();
  // This directory is wanted soon: it goes ahead of those that wait.
  void hurry(inode directory);
  result so_far();
  void cancel();

 private:
  struct directory {
    inode ino;
    std::string path;
    file_facts attributes;
    unsigned losses = 0;   // how often its connection was lost
    unsigned changes = 0;  // how often its listing lacked a name that was there after all
  };
  class one_listing;
  static std::string shown(const directory& d);

  void found_directories(const std::vector<index::subdirectory>& list);
  void pump();
  void visit(const directory& d);
  void skip(const directory& d);
  void list(const directory& d);
  void look(const directory& d);
  void looked_at(const directory& d, const std::optional<failure>& why);
  bool goes_again(directory& d, const std::optional<failure>& why);
  bool goes_on();
  void done(inode ino, const std::optional<failure>& why, bool tell = true);
  void failed(inode ino, const failure& why);
  void end();
  void bring_back();

  services services_;
  const bool full_;
  std::mutex mutex_;
  std::deque<directory> waiting_;
  std::size_t running_ = 0;
  bool cancelled_ = false, over_ = false, pumping_ = false;
  bool disk_failed_ = false;  // something that was listed is not in the index
  result result_;
  disappearance gone_;
};

}  // namespace ferryfs::remote
