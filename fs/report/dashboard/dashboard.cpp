#include "fs/report/dashboard/dashboard.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "fs/report/dashboard/page.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

constexpr int most_shown = 50;  // conflicts, failures, and what is refused

json days_of(index::reader& r) {
  json days = json::array();
  for (const auto& [day, sums] : r.days()) {
    const auto &common = sums.of(state::common), &added = sums.of(state::added), &conflict = sums.of(state::conflict);
    const auto &missing = sums.of(state::missing), &failed = sums.of(state::failed);
    const std::int64_t here = common.files + added.files + conflict.files;
    if (here + missing.files + failed.files == 0) continue;  // what was deleted or skipped is no gap, and not here
    days.push_back({day, here, common.local_bytes + added.local_bytes + conflict.local_bytes, missing.files,
                    missing.source_bytes, conflict.files, failed.files});
  }
  return days;
}

// A conflict's two sides may stand in two rows: what stands here is another entry then.
json conflicts_of(index::reader& r) {
  json list = json::array();
  const auto add = [&](const entry& e) {
    const auto here = e.local ? std::optional(e) : r.child(e.parent, e.name);
    list.push_back({{"path", printable(r.path(e.ino).value_or(e.name))},
                    {"here", here && here->local ? here->local->size : 0},
                    {"source", e.source ? e.source->size : 0}});
  };
  r.some(state::conflict, most_shown, add);
  r.some(state::shadowed, most_shown - static_cast<int>(list.size()), add);
  return list;
}

// With its reason each.
json some_of(index::reader& r, state s) {
  json list = json::array();
  r.some(s, most_shown, [&](const entry& e) {
    list.push_back({{"path", printable(r.path(e.ino).value_or(e.name))}, {"error", printable(e.error)}});
  });
  return list;
}

json history_of(const history& reports) {
  constexpr std::size_t most_points = 200;
  const auto all = reports.names();
  const std::size_t step = all.size() / most_points + 1;
  json list = json::array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % step != 0 && i + 1 != all.size()) continue;
    try {
      const json r = reports.read(all[i]);
      const json& missing = r.at("destination").at("missing");
      list.push_back(
          {{"number", r.at("report")},
           {"time", r.at("job").at("completed")},
           {"job", r.at("job").at("name")},
           {"missing", {{"files", missing.at("count").at("total")}, {"bytes", missing.at("size").at("total")}}},
           {"conflict", r.at("conflict").at("count")},
           {"failed", r.at("failed").at("count")}});
    } catch (const std::exception&) {  // a damaged one; `report` says which
    }
  }
  return list;
}

// The data hold file names, which may be anything: none may end the script element that holds the data.
std::string for_script(const json& data) {
  std::string text;
  for (const char c : data.dump(-1, ' ', false, json::error_handler_t::replace)) {
    if (c == '<' || c == '>' || c == '&')
      text += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      text += c;
  }
  return text;
}

void put(std::string& page, std::string_view mark, std::string_view text) {
  page.replace(page.find(mark), mark.size(), text);
}

json data_of(index::reader& r, json status, const history& reports, const std::string& destination, bool live) {
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return {{"made", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now))},
          {"live", live},
          {"destination", printable(destination)},
          {"status", std::move(status)},
          {"days", days_of(r)},
          {"conflicts", conflicts_of(r)},
          {"failures", some_of(r, state::failed)},
          {"refused", some_of(r, state::refused)},
          {"history", history_of(reports)}};
}

std::string page_with(const json& data) {
  std::string page{page_html};
  put(page, "@page.css@", page_css);
  put(page, "@page.js@", page_js);
  put(page, "@data@", for_script(data));
  return page;
}

}  // namespace

std::string dashboard_of(remote::migration& m) {
  const std::string reports = m.where().reports_path();
  const auto r = m.readers().borrow();
  return page_with(data_of(*r, status_of(m), history{reports, reports}, m.where().path(), true));
}

std::string dashboard_of(index::reader& r, const history& reports, const std::string& destination) {
  return page_with(data_of(r, status_of(r), reports, destination, false));
}

}  // namespace ferryfs::fs
