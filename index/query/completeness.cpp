#include "index/query/completeness.hpp"

namespace ferryfs::index {

completeness read_completeness(reader& r) {
  return {r.totals(), r.meta("last_scan").has_value(), r.unlisted(), r.refused_names().files,
          r.meta(suspicious_key).value_or("")};
}

}  // namespace ferryfs::index
