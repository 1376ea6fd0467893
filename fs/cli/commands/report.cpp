// report: the sets as lists, now or as they were; the history of reports; what changed between two.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fs/cli/commands/commands.hpp"
#include "fs/cli/commands/report_lists.hpp"
#include "fs/cli/control_client.hpp"
#include "fs/cli/listing_output.hpp"
#include "fs/cli/locate.hpp"
#include "fs/cli/output.hpp"
#include "fs/cli/since.hpp"
#include "fs/report/compare.hpp"
#include "fs/report/dashboard/dashboard.hpp"
#include "fs/report/recorder.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

void print(const json& report, bool as_json) {
  output out;
  out.add(as_json ? report.dump(2) + "\n" : report_text(report));
  out.finish();
}

void print_history(const history& h, bool as_json) {
  output out;
  bool first = true;
  for (const auto& name : h.names()) {
    json report;
    std::string text;
    try {
      report = h.read(name);
      if (!as_json) text = report_line(report);
    } catch (const error& e) {
      report = {{"report", name.number}, {"damaged", e.what()}};
      text = fmt::format("{:>5}  damaged: {}\n", name.number, e.what());
    }
    if (as_json) text = (first ? "[\n" : ",\n") + report.dump();
    first = false;
    if (!out.add(text)) break;
  }
  if (as_json) out.add(first ? "[]\n" : "\n]\n");
  if (!as_json && first) out.add("no reports yet; ferryfs report PATH --new makes one\n");
  out.finish();
}

void print_comparison(const history& h, const report_name& from, const report_name& to, const arguments& a) {
  if (a.list.empty()) {
    const json c = compare(h, from, to);
    output out;
    out.add(a.json ? c.dump(2) + "\n" : compare_text(c));
    return out.finish();
  }
  if (a.list != "missing") throw error(exit_code::usage, "--compare works with --list missing only");
  listing_output out{a.json};
  auto was = h.list(from, a.list), is = h.list(to, a.list);
  compare_lists(*was, *is, [&](gap_change c, const index::list_line& l) { return out.add(l.size, l.path, c); });
  out.finish();
}

// The page of a mounted archive is in its .ferryfs/.
std::string page_of(const archive_location& where, const history& h) {
  if (where.mounted) return read_own_file(where.root, "index.html");
  index::reader r{index_of(where.root)};
  return dashboard_of(r, h, where.root);
}

void write_page(const archive_location& where, const history& h, const std::string& file) {
  const std::string page = page_of(where, h);
  const unique_fd to{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
  if (!to)
    throw error(exit_code::local,
                fmt::format("{}: {}; name a file that can be written", printable(file), std::strerror(errno)));
  write_all(to.get(), page, file);
}

json make_new(const archive_location& where, const history& h) {
  if (!where.mounted) return record_unmounted(where.root);
  const std::string answer = send_command(where.root, "report");
  const auto number = number_in(answer.substr(answer.rfind(' ') + 1));
  return h.read(h.find(number.value_or(0)));
}

}  // namespace

exit_code run_report(const arguments& a) {
  const archive_location where = locate(a.path);
  const std::string directory = fmt::format("{}/{}/reports", where.root, own_directory);
  const history h{directory, directory};
  if (!a.html.empty()) {
    write_page(where, h, a.html);
  } else if (a.make_report) {
    print(make_new(where, h), a.json);
  } else if (a.compare.size() == 2) {
    print_comparison(h, h.find(a.compare[0]), h.find(a.compare[1]), a);
  } else if (!a.since.empty()) {
    const auto from = report_since(h, a.since);
    print_comparison(h, from, h.names().back(), a);
  } else if (!a.list.empty()) {
    listing_output out{a.json};
    a.id ? list_then(h, h.find(*a.id), where, a.list, out) : list_now(where, a.list, out);
    out.finish();
  } else if (a.id) {
    print(h.read(h.find(*a.id)), a.json);
  } else {
    print_history(h, a.json);
  }
  return exit_code::complete;
}

}  // namespace ferryfs::fs
