// report: the sets as lists, now or as they were; the history of reports; what changed between two.
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <functional>

#include "fs/cli/commands/commands.hpp"
#include "fs/cli/control_client.hpp"
#include "fs/cli/locate.hpp"
#include "fs/cli/output.hpp"
#include "fs/report/compare.hpp"
#include "fs/report/dashboard/dashboard.hpp"
#include "fs/report/picture_json.hpp"
#include "fs/report/recorder.hpp"
#include "index/base/path.hpp"
#include "index/query/reasons.hpp"
#include "index/query/refused.hpp"
#include "index/query/set.hpp"
#include "index/query/unlisted_paths.hpp"

namespace ferryfs::fs {
namespace {

// A list being printed, as lines or as one JSON array with a picture on each line.
class listing_output {
 public:
  explicit listing_output(bool as_json) : json_(as_json) {}
  bool add(std::uint64_t size, std::string_view path) { return put(size, path); }
  bool add(std::uint64_t size, std::string_view path, gap_change change) {
    const bool filled = change == gap_change::filled;
    return put(size, path, filled ? "\"change\":\"filled\"," : "\"change\":\"came\",", filled ? "- " : "+ ");
  }
  // As text the reason stands behind the last tab of the line.
  bool add(std::uint64_t size, std::string_view path, const std::string& reason) {
    return json_ ? put(size, path, reason_json(reason)) : put(size, path, "", "", '\t' + printable(reason));
  }
  // Whether a list of lines is to say why, also to a program: of a failure it is what is asked for.
  bool tells_why(std::string_view set) const { return json_ || terminal_ || set == "failed"; }
  void finish() {
    if (json_) out_.add(first_ ? "[]\n" : "\n]\n");
    out_.finish();
  }

 private:
  bool put(std::uint64_t size, std::string_view path, const std::string& json_part = "", const char* mark = "",
           const std::string& reason = "") {
    text_ = json_ ? (first_ ? "[\n" : ",\n") + picture_json(size, path, json_part) : mark;
    if (!json_) index::append_line(text_, size, path);
    if (terminal_) escape();
    if (!reason.empty()) text_.insert(text_.size() - 1, reason);  // before the newline
    first_ = false;
    return out_.add(text_);
  }

  // A name may hold what a terminal takes for a command; programs get each byte as it is.
  void escape() {
    const auto text = std::string_view(text_).substr(0, text_.find_last_not_of('\n') + 1);
    const auto begin = text.find_first_not_of("[,\n");
    text_ = text_.substr(0, begin) + printable(text.substr(begin)) + text_.substr(text.size());
  }

  bool json_, first_ = true;
  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
  std::string text_;
  output out_;
};

[[noreturn]] void refuse_line(const std::string& file) {
  throw error(exit_code::local, fmt::format("{}: a line is no picture's; the list is damaged", printable(file)));
}

// Calls `each` with the lines of a list of the mount's until it returns false.
void for_each_line(const std::string& path, const std::function<bool(std::string_view)>& each) {
  const unique_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string text, piece(256 << 10, '\0');
  while (true) {
    const ssize_t n = file ? ::read(file.get(), piece.data(), piece.size()) : -1;
    if (n < 0)
      throw error(exit_code::local, fmt::format("{}: {}; is the mount alive?", printable(path), std::strerror(errno)));
    if (n == 0) break;
    text.append(piece, 0, static_cast<std::size_t>(n));
    std::size_t at = 0;
    for (std::size_t end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
      if (!each(std::string_view(text).substr(at, end - at))) return;
    text.erase(0, at);
  }
}

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// A list of the mount's with the reasons: lists/SET.json, a picture a line.
void list_mounted_reasons(const archive_location& where, const std::string& set, listing_output& out) {
  const std::string path = fmt::format("{}/{}/lists/{}.json", where.root, own_directory, set);
  for_each_line(path, [&](std::string_view line) {
    if (!line.starts_with('{')) return true;  // the array's brackets
    if (line.ends_with(',')) line.remove_suffix(1);
    try {
      const json picture = json::parse(line);
      const auto name = picture.contains("path_hex") ? bytes_of(picture["path_hex"].get<std::string>())
                                                     : picture.at("path").get<std::string>();
      return !is_at_or_below(name, where.relative) ||
             out.add(picture.at("size").get<std::uint64_t>(), name, picture.at("reason").get<std::string>());
    } catch (const json::exception&) {
      refuse_line(path);
    }
  });
}

void list_mounted(const archive_location& where, const std::string& set, listing_output& out) {
  if (index::has_reasons(set) && out.tells_why(set)) return list_mounted_reasons(where, set, out);
  const std::string path = fmt::format("{}/{}/lists/{}.txt", where.root, own_directory, set);
  for_each_line(path, [&](std::string_view text) {
    const auto line = index::parse_line(text);
    if (!line) refuse_line(path);
    return !is_at_or_below(line->path, where.relative) || out.add(line->size, line->path);
  });
}

void list_now(const archive_location& where, const std::string& set, listing_output& out) {
  if (where.mounted) return list_mounted(where, set, out);
  index::reader r{index_of(where.root)};
  if (index::has_reasons(set) && out.tells_why(set))
    index::list_reasons(r, set, where.relative,
                        [&](std::string_view path, std::uint64_t size, const std::string& reason) {
                          return out.add(size, path, reason);
                        });
  else if (set == "lost")
    r.losses([&](const index::loss& l) { return !is_at_or_below(l.path, where.relative) || out.add(l.size, l.path); });
  else if (set == "unlisted")
    for (const auto& path : index::unlisted_paths(r)) {
      if (is_at_or_below(path, where.relative) && !out.add(0, path)) return;
    }
  else if (set == "refused")
    index::list_refused(r, where.relative,
                        [&](std::string_view path, std::uint64_t size) { return out.add(size, path); });
  else
    index::list(r, *index::set_named(set), where.relative,
                [&](std::string_view path, const index::listed_picture& p) { return out.add(p.size, path); });
}

void list_then(const history& h, const report_name& which, const archive_location& where, const std::string& set,
               listing_output& out) {
  auto lines = h.list(which, set);
  for (std::string text; lines && lines->next(text);) {
    const auto line = index::parse_line(text);
    if (!line) refuse_line(which.stem);
    if (is_at_or_below(line->path, where.relative) && !out.add(line->size, line->path)) return;
  }
}

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
  if (a.list != "missing") throw error(exit_code::usage, "two reports can be compared by --list missing alone");
  listing_output out{a.json};
  auto was = h.list(from, a.list), is = h.list(to, a.list);
  compare_lists(*was, *is, [&](gap_change c, const index::list_line& l) { return out.add(l.size, l.path, c); });
  out.finish();
}

std::optional<unsigned> number_in(const std::string& text) {
  unsigned n = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  return problem == std::errc{} && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

// The beginning, in UTC, of a day: 2026-11-23, or monday, the last one. As reports are named: 20261123T000000Z.
std::string day_named(const std::string& text) {
  std::tm t{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%d", &t);
  if (end == nullptr || *end != '\0') {
    end = ::strptime(text.c_str(), "%A", &t);
    if (end == nullptr || *end != '\0')
      throw error(exit_code::usage,
                  fmt::format("--since {}: write a report's number, a day as 2026-11-23, or monday", printable(text)));
    const int weekday = t.tm_wday;
    std::time_t now = std::time(nullptr);
    ::gmtime_r(&now, &t);
    now -= (t.tm_wday - weekday + 7) % 7 * 86400;
    ::gmtime_r(&now, &t);
  }
  return fmt::format("{:04}{:02}{:02}T000000Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

// The last report before that day, or the first after it.
report_name since(const history& h, const std::string& text) {
  if (const auto n = number_in(text)) return h.find(*n);
  const std::string begin = day_named(text);
  const auto all = h.names();
  if (all.empty()) throw error(exit_code::usage, "--since: there are no reports yet");
  const auto after = std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.stem > begin; });
  return after == all.begin() ? all.front() : *std::prev(after);
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
    const auto from = since(h, a.since);
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
