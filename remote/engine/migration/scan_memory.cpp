#include "remote/engine/migration/scan_memory.hpp"

#include <chrono>

#include "index/base/clock.hpp"
#include "index/query/completeness.hpp"

namespace ferryfs::remote {
namespace {

// Keys of meta.
constexpr const char* file_system_key = "source_file_system";
constexpr const char* empty_key = "source_may_be_empty";
constexpr const char* filter_key = "scan_filter";
constexpr const char* last_scan_key = "last_scan";

std::string now_text() { return std::to_string(wall_seconds()); }

}  // namespace

std::string scan_memory::suspicion() { return meta(index::suspicious_key).value_or(""); }

void scan_memory::set_suspicion(const std::string& why) {
  index_.run([&](index::transaction& t) { t.put_meta(index::suspicious_key, why); });
}

bool scan_memory::shows_another(const std::optional<std::uint64_t>& file_system) {
  const auto known = meta(file_system_key);
  return file_system && known && *known != std::to_string(*file_system);
}

bool scan_memory::may_be_empty() { return meta(empty_key) == "1"; }

void scan_memory::set_source(const std::optional<std::uint64_t>& file_system, bool empty) {
  index_.run([&](index::transaction& t) {
    if (file_system) t.put_meta(file_system_key, std::to_string(*file_system));
    t.put_meta(empty_key, empty ? "1" : "0");
  });
}

bool scan_memory::is_filter_changed(const std::string& fingerprint) { return meta(filter_key) != fingerprint; }

void scan_memory::set_scanned(const std::string& fingerprint) {
  index_.run([&](index::transaction& t) {
    t.put_meta(last_scan_key, now_text());
    t.put_meta(filter_key, fingerprint);
  });
}

}  // namespace ferryfs::remote
