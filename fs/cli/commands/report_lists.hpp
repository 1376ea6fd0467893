// The sets as lists, now or as a report had them.
#pragma once

#include <string>

#include "fs/cli/listing_output.hpp"
#include "fs/cli/locate.hpp"
#include "fs/report/history.hpp"

namespace ferryfs::fs {

// Both add what lies at or below the archive's `relative` path. Throw ferryfs::error.
void list_now(const archive_location& where, const std::string& set, listing_output& out);
void list_then(const history& h, const report_name& which, const archive_location& where, const std::string& set,
               listing_output& out);

}  // namespace ferryfs::fs
