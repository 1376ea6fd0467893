// `--since` of reports: a report's number, a day, or a weekday.
#pragma once

#include <optional>
#include <string>

#include "fs/report/history.hpp"

namespace ferryfs::fs {

std::optional<unsigned> number_in(const std::string& text);

// The report of that number; else the last one before that day, or the first after it. Throws ferryfs::error (usage).
report_name report_since(const history& h, const std::string& text);

}  // namespace ferryfs::fs
