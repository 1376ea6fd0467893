// The dashboard: one page that shows an archive's state and needs nothing else. Its parts are page.html, page.css and
// page.js; the data stands in it as JSON, and an open page fetches itself again for newer data.
#pragma once

#include <string>
#include <vector>

#include "fs/status.hpp"
#include "index/reader.hpp"

namespace ferryfs::fs {

struct dashboard_facts {
  json status;                // status_of
  std::vector<json> reports;  // oldest first; of many, a choice that a plot shows well
  std::string destination;    // as the user knows it
  bool live;                  // made anew whenever the page is read
};

// What the page shows. Names and messages are made printable.
json dashboard_data(const dashboard_facts& facts, index::reader& r);

// The page with that data.
std::string dashboard_page(const json& data);

}  // namespace ferryfs::fs
