// The way back: what is new here goes to the source, many pictures at a time. Nothing there is overwritten or removed,
// but for partial files of its own and, with `overwritten`, the source's copies of pictures in conflict and of what was
// deleted or decided against here before a new picture got its name: those, as the index knows them. What is open for
// writing here, or was found to have wrong bytes, is refused.
//
// Threads: one calls `run`; the archive's threads tell what became of each picture. mutex_ guards what both touch, and
// no callback runs under it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "index/query/set.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/push/shipment.hpp"
#include "remote/engine/source_side.hpp"
#include "remote/source/filter.hpp"

namespace ferryfs::remote {

struct push_result {
  std::uint64_t files = 0, bytes = 0;  // sent
  std::uint64_t there = 0;             // the source had them already
  std::uint64_t other = 0;  // of those sent, with another time or mode than here: the source refuses to set them
  std::uint64_t refused = 0;
  std::string first_refusal;
  enum class end { done, interrupted, lost, read_only } ended = end::done;
  std::string why;  // lost, read_only: one line
};

class pusher {
 public:
  pusher(migration& m, bool overwritten, open_files_query open = {});

  // Sends what is new at or below `path`; blocks until all of it is there or refused. Throws ferryfs::error (usage)
  // where there is no such path, or (source) where `overwritten` is more than the source can do.
  push_result run(const std::string& path, const std::stop_token& stop);

  // So far; any thread.
  struct progress {
    std::uint64_t files, bytes;
  };
  progress so_far();

 private:
  struct parcel {
    entry row;
    std::string path, target;
    std::optional<file_facts> replaces;  // on the source
    unsigned losses = 0, changes = 0;
  };
  struct made_directory {
    inode ino;
    std::optional<failure> why;  // nothing can be put into it
    bool left_out = false;
  };

  void walk(index::set which, const std::string& path);
  bool consider(const std::string& path, const entry& e);
  file_facts side_of(const attributes& a) const { return as_side(a, migration_.where().times()); }
  std::optional<file_facts> replaced_by(const entry& e);
  std::optional<failure> taken(const entry& e, const std::string& target);
  const made_directory& directory_for(const entry& e);
  made_directory enter(const entry& d);
  std::pair<std::optional<failure>, attributes> make(const entry& d, const std::string& target);
  template <typename Ask>
  std::pair<std::optional<failure>, attributes> ask(Ask&& request);

  void send(const parcel& p);
  void try_to_send(parcel p);
  std::optional<failure> objection(const parcel& p);
  void send_file(parcel p);
  void send_link(parcel p);
  std::optional<local_file> open(const parcel& p);
  void over(const parcel& p, const std::string& sha256, shipment::end how, const std::optional<failure>& why,
            const attributes& there);
  void record(const parcel& p, const std::string& sha256, const attributes& there);
  void settle();
  void refuse(const failure& why);
  void interrupt();
  void count_refusal(const failure& why);

  bool wait_for_room();
  bool resend(std::unique_lock<std::mutex>& lock);
  bool wait_for_source();
  bool is_over();
  void end(push_result::end how);
  void drain();
  void conclude();

  migration& migration_;
  const bool overwritten_;
  const open_files_query open_;
  filter filter_;
  index::readers::lease reader_;
  std::stop_token stop_;
  std::string archive_id_;             // random; made when it first is needed
  std::vector<made_directory> chain_;  // from the root to where the walk is

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t running_ = 0;
  std::deque<parcel> again_;  // counted as running
  std::uint64_t denied_ = 0;  // of the refusals, for want of permission
  bool accepted_ = false;     // the source has taken something
  push_result result_;
  std::atomic<std::uint64_t> bytes_ = 0;
};

}  // namespace ferryfs::remote
