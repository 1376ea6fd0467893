#include "remote/verify/verification.hpp"

#include <fmt/format.h>

#include <sstream>

namespace ferryfs::remote {
namespace {

const char* key_of(bool with_source) { return with_source ? "verified_source" : "verified"; }

}  // namespace

void write_verification(index::transaction& t, const verification& v) {
  t.put_meta(key_of(v.with_source), fmt::format("{} {} {} {} {}", v.begun, v.common, v.files, v.wrong, v.arrivals));
}

std::optional<verification> read_verification(index::get_meta& meta, bool with_source) {
  const auto text = meta(key_of(with_source));
  if (!text) return std::nullopt;
  verification v;
  std::istringstream in{*text};
  v.with_source = with_source;
  in >> v.begun >> v.common >> v.files >> v.wrong >> v.arrivals;
  return in ? std::optional(v) : std::nullopt;
}

}  // namespace ferryfs::remote
