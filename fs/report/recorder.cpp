#include "fs/report/recorder.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "fs/process/settings_json.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {

std::string index_of(const std::string& destination) {
  return fmt::format("{}/{}/index.db", destination, own_directory);
}

json record_unmounted(const std::string& destination) {
  const auto now = wall_clock::now();
  index::reader r{index_of(destination)};
  const auto settings = read_settings(r.meta).value_or(remote::settings{});
  job j;
  j.name = "report", j.begun = j.ended = j.moved_since = now;
  j.source = settings.source, j.destination = destination;
  const std::string directory = fmt::format("{}/{}/reports", destination, own_directory);
  return *history{directory, directory}.record(r, j, settings.keep_reports);
}

std::optional<json> recorder::record(job j, wall_clock::time_point begun) {
  const lock held{mutex_};
  const auto moved = migration_.fetch().throughput();
  j.begun = begun, j.ended = wall_clock::now();
  if (j.back)
    j.moved_since = begun;
  else
    j.files = moved.files - reported_files_, j.bytes = moved.bytes - reported_bytes_, j.moved_since = last_report_;
  j.source = migration_.setup().source, j.destination = migration_.where().path();
  history h{migration_.where().reports_path(), fmt::format("{}/{}/reports", j.destination, own_directory)};
  auto report = h.record(*migration_.readers().borrow(), j, migration_.setup().keep_reports);
  if (report && !j.back) reported_files_ = moved.files, reported_bytes_ = moved.bytes, last_report_ = j.ended;
  return report;
}

std::optional<json> recorder::try_record(job j, wall_clock::time_point begun) {
  try {
    return record(std::move(j), begun);
  } catch (const std::exception& e) {
    spdlog::error("no report could be made: {}", e.what());
    return std::nullopt;
  }
}

job scan_job(const remote::source_scan::result& r) {
  job j;
  j.name = "scan";
  if (!r.complete()) j.status = "incomplete";
  if (!r.suspicious.empty()) j.errors.push_back(r.suspicious);
  for (const auto& f : r.failures) j.errors.push_back(f.text);
  return j;
}

job push_job(const remote::push_result& r) {
  using end = remote::push_result::end;
  job j;
  j.name = "push", j.back = true;
  j.files = r.files, j.bytes = r.bytes;
  if (r.ended == end::interrupted)
    j.status = "interrupted";
  else if (r.ended != end::done)
    j.status = "failed", j.errors.push_back(r.why);
  else
    j.status = r.refused == 0 ? "complete" : "incomplete";
  if (r.refused > 0) j.errors.push_back(fmt::format("{} refused: {}", r.refused, r.first_refusal));
  return j;
}

}  // namespace ferryfs::fs
