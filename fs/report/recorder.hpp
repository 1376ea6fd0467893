// Reports of an archive that this process works on, or nobody does.
#pragma once

#include <string>

#include "fs/report/history.hpp"
#include "index/base/mutex.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/push/pusher.hpp"

namespace ferryfs::fs {

// The path of an unmounted archive's index.
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
  // The files and bytes that earlier reports have counted, and when the last of them was made.
  std::uint64_t reported_files_ GUARDED_BY(mutex_) = 0;
  std::uint64_t reported_bytes_ GUARDED_BY(mutex_) = 0;
  wall_clock::time_point last_report_ GUARDED_BY(mutex_) = wall_clock::now();
};

// The outcome of a scan, and of a push, as a report has it.
job scan_job(const remote::source_scan::result& r);
job push_job(const remote::push_result& r);

}  // namespace ferryfs::fs
