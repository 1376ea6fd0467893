#include "remote/verify/verification.hpp"

#include <fmt/format.h>

#include <chrono>
#include <sstream>

namespace ferryfs::remote {
namespace {

constexpr const char* arrival_key = "last_arrival";

const char* key_of(bool with_source) { return with_source ? "verified_source" : "verified"; }

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void write_verification(index::transaction& t, const verification& v) {
  t.put_meta(key_of(v.with_source), fmt::format("{} {} {} {}", v.begun, v.common, v.files, v.wrong));
}

std::optional<verification> read_verification(index::get_meta& meta, bool with_source) {
  const auto text = meta(key_of(with_source));
  if (!text) return std::nullopt;
  verification v;
  std::istringstream in{*text};
  v.with_source = with_source;
  in >> v.begun >> v.common >> v.files >> v.wrong;
  return in ? std::optional(v) : std::nullopt;
}

void write_arrival(index::transaction& t) { t.put_meta(arrival_key, std::to_string(now_seconds())); }

std::optional<std::int64_t> last_arrival(index::get_meta& meta) {
  const auto text = meta(arrival_key);
  return text ? std::optional<std::int64_t>(std::stoll(*text)) : std::nullopt;
}

}  // namespace ferryfs::remote
