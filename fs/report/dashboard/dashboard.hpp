// The dashboard: one page that shows an archive's state and needs nothing else. Its parts are page.html, page.css and
// page.js; the data stands in it as JSON, and an open page fetches itself again for newer data.
#pragma once

#include <string>

#include "fs/report/history.hpp"
#include "fs/report/status.hpp"
#include "index/db/reader.hpp"

namespace ferryfs::fs {

// The page as it stands now, of an archive that this process works on, and of one that nobody does. The first fetches
// itself again while it is shown.
std::string dashboard_of(remote::migration& m);
std::string dashboard_of(index::reader& r, const history& reports, const std::string& destination);

}  // namespace ferryfs::fs
