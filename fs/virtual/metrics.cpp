#include "fs/virtual/metrics.hpp"

#include <fmt/format.h>

#include <ctime>

#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

std::string head(const char* name, const char* type, const char* help) {
  return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

template <typename Value>
std::string one(const char* name, const char* type, const char* help, Value value) {
  return head(name, type, help) + fmt::format("{} {}\n", name, value);
}

std::string by_set(const json& status, const char* name, const char* help, const char* field) {
  std::string text = head(name, "gauge", help);
  for (const char* set : {"source", "destination", "common", "missing", "new", "conflict", "deleted", "skipped",
                          "failed", "refused", "lost"})
    text += fmt::format("{}{{set=\"{}\"}} {}\n", name, set, status.at(set).at(field).get<std::int64_t>());
  return text;
}

std::string label(const std::string& value) {
  std::string text;
  for (const char c : printable(value)) {
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text;
}

std::int64_t seconds_of(const json& time) {
  std::tm t{};
  return time.is_null() || ::strptime(time.get<std::string>().c_str(), "%Y-%m-%dT%H:%M:%SZ", &t) == nullptr
             ? 0
             : ::timegm(&t);
}

}  // namespace

std::string metrics_text(const json& s, std::uint64_t files, std::uint64_t bytes) {
  const json &source = s.at("source"), &transfer = s.at("transfer");
  const auto flag = [](bool b) { return b ? 1 : 0; };
  std::string text =
      head("ferryfs_archive_info", "gauge", "Where the archive comes from; always 1.") +
      fmt::format("ferryfs_archive_info{{source=\"{}\"}} 1\n", label(source.at("url").get<std::string>()));
  text += by_set(s, "ferryfs_pictures", "Pictures in each set.", "files");
  text += by_set(s, "ferryfs_picture_bytes", "Size of the pictures in each set.", "bytes");
  text += one("ferryfs_complete", "gauge", "1 while the archive is complete.", flag(s.at("complete").get<bool>()));
  text += one("ferryfs_source_reachable", "gauge", "1 while the source answers.", flag(source.at("reachable") == true));
  text += one("ferryfs_source_suspicious", "gauge", "1 while what the source shows is not believed.",
              flag(!s.at("suspicious").is_null()));
  text += one("ferryfs_unlisted_directories", "gauge", "Directories of the source that could not be listed.",
              s.at("unlisted").at("files").get<std::int64_t>());
  text += one("ferryfs_source_scanning", "gauge", "1 while the source is being scanned.",
              flag(source.value("scanning", false)));
  text += one("ferryfs_last_scan_timestamp_seconds", "gauge", "When the last scan of the source ended; 0: never.",
              seconds_of(source.at("last_scan")));
  text += one("ferryfs_replication_paused", "gauge", "1 while background replication is paused.",
              flag(transfer.at("paused").get<bool>()));
  text += one("ferryfs_replication_blocked", "gauge", "1 while the destination's disk keeps replication from going on.",
              flag(transfer.contains("blocked")));
  const auto counted = [&](const char* what, const char* unit) {
    return transfer.contains(what) ? transfer.at(what).at(unit).get<std::uint64_t>() : 0;
  };
  text += one("ferryfs_waiting_for_room_pictures", "gauge", "Pictures that the destination's disk has no room for.",
              counted("waiting_for_room", "files"));
  text += one("ferryfs_unkept_reads_total", "counter",
              "Reads that were answered and not kept, as the destination's disk has no room.",
              counted("not_kept", "reads"));
  text += one("ferryfs_unkept_read_bytes_total", "counter", "Bytes of the reads that were answered and not kept.",
              counted("not_kept", "bytes"));
  text += one("ferryfs_transfers_active", "gauge", "Pictures that are being fetched, no more than status.json shows.",
              transfer.at("active").size());
  text += one("ferryfs_transfer_rate_bytes_per_second", "gauge", "Bytes fetched a second, over the last ten seconds.",
              transfer.at("rate").get<std::uint64_t>());
  text += one("ferryfs_fetched_pictures_total", "counter", "Pictures fetched since the mount began.", files);
  text += one("ferryfs_fetched_bytes_total", "counter", "Bytes fetched since the mount began.", bytes);
  return text;
}

std::string metrics_of(remote::migration& m) {
  return metrics_text(status_of(m), m.fetch().throughput().files, m.fetch().throughput().bytes);
}

}  // namespace ferryfs::fs
