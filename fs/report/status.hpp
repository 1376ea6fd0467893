// Where an archive stands: one answer for status.json in the mount, for an unmounted archive, and for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "index/db/reader.hpp"
#include "remote/engine/migration/migration.hpp"

namespace ferryfs::fs {

using json = nlohmann::ordered_json;

// From the index alone: of an archive that nobody works on. Nothing is known of whether the source can be reached
// (null).
json status_of(index::reader& r);
// From the index and the running engine.
json status_of(remote::migration& m);
// Several lines for people.
std::string status_text(const json& status);
// One line for people, and its parts: the percentage of the source's bytes that is here, that in numbers, and
// what goes on.
std::string status_line(const json& status);
double share_here(const json& status);
std::string totals_text(const json& status);
std::string state_text(const json& status);

}  // namespace ferryfs::fs
