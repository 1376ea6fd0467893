// The changes between two reports.
#pragma once

#include <functional>
#include <string>

#include "fs/report/history.hpp"
#include "index/model/list_line.hpp"

namespace ferryfs::fs {

enum class gap_change { filled, came };

// Calls `each` with every picture that is in one of two lists of missing ones alone, sorted by path, until it returns
// false. One that is missing with another size was filled and came. Neither list is held. Throws as gzip_lines does.
using on_gap = std::function<bool(gap_change, const index::list_line&)>;
void compare_lists(gzip_lines& before, gzip_lines& after, const on_gap& each);

// The counts of both and their gaps' changes.
json compare(const history& h, const report_name& before, const report_name& after);
std::string compare_text(const json& comparison);

}  // namespace ferryfs::fs
