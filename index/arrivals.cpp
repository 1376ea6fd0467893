#include "index/arrivals.hpp"

#include <sys/stat.h>

#include <string>

namespace ferryfs::index {
namespace {

constexpr const char* key = "arrivals";

}  // namespace

void record_arrivals(transaction& t) { t.put_meta(key, std::to_string(arrivals(t.meta) + 1)); }

void record_if_common(transaction& t, const entry& e) {
  if (e.state == state::common && e.local && S_ISREG(e.local->mode)) record_arrivals(t);
}

std::uint64_t arrivals(get_meta& meta) {
  const auto text = meta(key);
  return text ? std::stoull(*text) : 0;
}

}  // namespace ferryfs::index
