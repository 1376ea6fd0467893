// The capabilities of the destination's disk, as found at the last start: kept in the index, and shown by status.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/transaction.hpp"
#include "remote/destination/capabilities.hpp"

namespace ferryfs::fs {

void write_capabilities(index::transaction& t, const remote::capabilities& c);
// null where no engine has opened the archive yet, or only one that did not look.
nlohmann::ordered_json read_capabilities(index::reader& r);
// Several lines for people.
std::string capabilities_text(const nlohmann::ordered_json& capabilities);

}  // namespace ferryfs::fs
