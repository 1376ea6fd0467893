// Reports of an archive that this process works on, or nobody does.
#pragma once

#include <string>

#include "fs/report/history.hpp"
#include "index/base/mutex.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/push/pusher.hpp"

namespace ferryfs::fs {

// Where the index of an unmounted archive is.
std::string index_of(const std::string& destination);

// Makes a report of what the index holds, without the source. Throws ferryfs::error.
json record_unmounted(const std::string& destination);

// Makes the reports of a running archive. Threads: any.
class recorder {
 public:
  explicit recorder(remote::migration& m) : migration_(m) {}
  // `j` without the times, the archive's names, and what was moved since the last report, which are filled in; a job of
  // the way back says itself what it moved. Nothing: the job was automatic, and nothing is new. Throws ferryfs::error
  // (local).
  std::optional<json> record(job j, wall_clock::time_point begun);
  // The same; a failure is logged and returned as nothing: the work itself went well.
  std::optional<json> try_record(job j, wall_clock::time_point begun);

 private:
  remote::migration& migration_;
  mutex mutex_{lock_level::report};
  // What an earlier report told, and when.
  std::uint64_t files_ GUARDED_BY(mutex_) = 0;
  std::uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  wall_clock::time_point told_ GUARDED_BY(mutex_) = wall_clock::now();
};

// Of a scan, and of a push: what became of it, as a report has it.
job scan_job(const remote::source_scan::result& r);
job push_job(const remote::push_result& r);

}  // namespace ferryfs::fs
