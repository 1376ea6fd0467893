#include "fs/report/compare.hpp"

#include <fmt/format.h>

#include "fs/text/size.hpp"
#include "index/base/error.hpp"

namespace ferryfs::fs {
namespace {

std::optional<index::list_line> next(gzip_lines& lines) {
  std::string text;
  if (!lines.next(text)) return std::nullopt;
  auto line = index::parse_line(text);
  if (!line) throw error(exit_code::local, "a list of missing pictures is damaged; this comparison cannot be made");
  return line;
}

// A count that is compared: its name, and its place in a report.
struct part {
  const char* name;
  json (*of)(const json&);
};
json total(const json& by_kind) { return {{"count", by_kind["count"]["total"]}, {"size", by_kind["size"]["total"]}}; }
// Nothing is in it where the report is from before it was counted.
json kept(const json& r, const char* set) { return r.value(set, json{{"count", 0}, {"size", 0}}); }
constexpr std::array parts{part{"source", [](const json& r) { return total(r["source"]["files"]); }},
                           part{"destination", [](const json& r) { return total(r["destination"]["files"]); }},
                           part{"common", [](const json& r) { return total(r["intersect"]); }},
                           part{"missing", [](const json& r) { return total(r["destination"]["missing"]); }},
                           part{"new", [](const json& r) { return total(r["source"]["missing"]); }},
                           part{"conflict", [](const json& r) { return kept(r, "conflict"); }},
                           part{"deleted", [](const json& r) { return kept(r, "deleted"); }},
                           part{"skipped", [](const json& r) { return kept(r, "skipped"); }},
                           part{"failed", [](const json& r) { return kept(r, "failed"); }},
                           part{"refused", [](const json& r) { return kept(r, "refused"); }},
                           part{"lost", [](const json& r) { return kept(r, "lost"); }}};

std::string difference(std::int64_t n) { return n == 0 ? "=" : (n > 0 ? "+" : "") + human_count(n); }

}  // namespace

void compare_lists(gzip_lines& before, gzip_lines& after, const on_gap& each) {
  auto was = next(before), is = next(after);
  while (was || is) {
    const int order = !is ? -1 : !was ? 1 : was->path.compare(is->path);
    const bool same = order == 0 && was->size == is->size;
    if (!same && order <= 0 && !each(gap_change::filled, *was)) return;
    if (!same && order >= 0 && !each(gap_change::came, *is)) return;
    if (order <= 0) was = next(before);
    if (order >= 0) is = next(after);
  }
}

json compare(const history& h, const report_name& before, const report_name& after) {
  const json from = h.read(before), to = h.read(after);
  json result;
  const auto head = [](const json& r) {
    return json{{"report", r["report"]}, {"name", r["job"]["name"]}, {"completed", r["job"]["completed"]}};
  };
  result["from"] = head(from), result["to"] = head(to);
  for (const auto& p : parts) result["sets"][p.name] = {{"from", p.of(from)}, {"to", p.of(to)}};
  std::array<std::uint64_t, 2> files{}, bytes{};
  auto was = h.list(before, "missing"), is = h.list(after, "missing");
  compare_lists(*was, *is, [&](gap_change c, const index::list_line& l) {
    ++files.at(static_cast<std::size_t>(c));
    bytes.at(static_cast<std::size_t>(c)) += l.size;
    return true;
  });
  result["filled"] = {{"count", files[0]}, {"size", bytes[0]}};
  result["came"] = {{"count", files[1]}, {"size", bytes[1]}};
  return result;
}

std::string compare_text(const json& c) {
  const auto head = [](const json& h) {
    return fmt::format("report {}, {}, {}", h["report"].get<unsigned>(), h["name"].get<std::string>(),
                       h["completed"].get<std::string>());
  };
  std::string text = fmt::format("from         {}\nto           {}\n{:<12} {:>11} {:>11} {:>11}  {:>10}\n",
                                 head(c["from"]), head(c["to"]), "", "from", "to", "change", "size now");
  for (const auto& [name, pair] : c["sets"].items()) {
    const auto was = pair["from"]["count"].get<std::int64_t>(), is = pair["to"]["count"].get<std::int64_t>();
    const auto more = static_cast<std::uint64_t>(is) - static_cast<std::uint64_t>(was);  // of a damaged one any number
    text +=
        fmt::format("{:<12} {:>11} {:>11} {:>11}  {:>10}\n", name, human_count(was), human_count(is),
                    difference(static_cast<std::int64_t>(more)), human_size(pair["to"]["size"].get<std::uint64_t>()));
  }
  const auto gaps = [&](const char* which, const char* means) {
    return fmt::format("{:<12} {:>11} {:>36}  {}\n", which, human_count(c[which]["count"].get<std::int64_t>()),
                       human_size(c[which]["size"].get<std::uint64_t>()), means);
  };
  return text + gaps("filled", "missing then, not now") + gaps("came", "missing now, not then");
}

}  // namespace ferryfs::fs
