// The way back: what is new here goes to the source, many pictures at a time. Nothing there is overwritten or removed,
// but for partial files of its own and, with `overwritten`, the source's copies of pictures in conflict and of what was
// deleted or decided against here before a new picture got its name: those, as the index knows them. A file that is
// open for writing here, or was found to have wrong bytes, is refused.
//
// Threads: one calls `run`, which plans (push_plan.hpp) and starts uploads (upload.hpp); the archive's threads report
// the end of each to the queue (push_queue.hpp).
#pragma once

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/query/set.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/limiter.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/push/push_plan.hpp"
#include "remote/engine/push/push_queue.hpp"
#include "remote/engine/push/source_directories.hpp"
#include "remote/engine/push/upload.hpp"
#include "remote/engine/settings.hpp"
#include "remote/engine/source_facts.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/filter.hpp"

namespace ferryfs::remote {

class pusher {
 public:
  // The references outlive the push.
  struct dependencies {
    const settings& setup;
    const destination& where;
    archive& source;
    index::writer& index;
    index::readers& readers;
    limiter& limit;
    std::string suspicion;  // why the source is not believed: then nothing is sent; empty: it is
  };
  pusher(const dependencies& d, bool overwritten, open_files_query open = {});

  // Sends what is new at or below `path`; blocks until all of it is there or refused. Throws ferryfs::error (usage)
  // where there is no such path, or (source) where `overwritten` is more than the source can do.
  push_result run(const std::string& path, const std::stop_token& stop);

  // So far; any thread.
  struct progress {
    std::uint64_t files, bytes;
  };
  progress so_far();

 private:
  void walk(index::set which, const std::string& path);
  bool consider(const std::string& path, const entry& e);
  std::optional<failure> objection(const push_item& p);
  void send(const push_item& p);
  void try_to_send(const push_item& p);
  void send_file(const push_item& p);
  void send_link(const push_item& p);
  std::optional<local_file> open(const push_item& p);
  void on_sent(const push_item& p, const std::string& sha256, upload::end how, const std::optional<failure>& why,
               const attributes& there);
  void fail(const push_item& p, const std::optional<failure>& why) { on_sent(p, {}, upload::end::failed, why, {}); }
  void record(const push_item& p, const std::string& sha256, const attributes& there);

  const dependencies needs_;
  const bool overwritten_;
  const open_files_query open_;
  const filter excluded_;
  index::readers::lease reader_;
  std::stop_token stop_;
  std::string archive_id_;  // random; made when it first is needed
  push_queue queue_;
  source_directories directories_;
  push_plan plan_;
  std::atomic<std::uint64_t> bytes_ = 0;  // sent
};

}  // namespace ferryfs::remote
