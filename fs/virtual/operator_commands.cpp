#include "fs/virtual/operator_commands.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "fs/report/ready.hpp"
#include "fs/text/size.hpp"
#include "index/base/path.hpp"
#include "remote/engine/decide/fetch_below.hpp"
#include "remote/engine/decide/skip.hpp"
#include "remote/engine/decide/undelete.hpp"

namespace ferryfs::fs {
namespace {

std::string pictures(std::uint64_t n) { return counted(static_cast<std::int64_t>(n), "picture", "pictures"); }

command_result nothing_there(const std::string& path) {
  return {EIO, fmt::format("{}: no such file or directory in the archive; check the path, or run ferryfs scan\n",
                           printable(path))};
}

}  // namespace

command_result fetch_now(remote::migration& m, const std::string& path, const std::stop_token& stop) {
  const auto r = remote::fetch_below(m.index(), m.readers(), m.fetch(), path, stop);
  m.replicate().recheck();  // links and directories among them
  if (r.failed == 0) return {0, fmt::format("fetched {} files, {}\n", r.files, human_size(r.bytes))};
  return {EIO, fmt::format("{} of {} failed, the first: {}\n", r.failed, r.failed + r.files, r.first_failure)};
}

command_result undelete(remote::migration& m, const std::string& path, const std::stop_token& stop) {
  const auto u = remote::undelete_below(m.index(), m.readers(), path, stop);
  if (!u.known)
    return {EIO, fmt::format("{}: nothing was deleted there; see ferryfs report --list deleted\n", printable(path))};
  command_result a{u.name_taken == 0 ? 0 : EIO, fmt::format("{} no longer deleted\n", pictures(u.files))};
  if (u.name_taken > 0)
    a.text += fmt::format("{} stay deleted, as something else has their names now, the first: {}; rename that\n",
                          u.name_taken, printable(u.first_name_taken));
  m.replicate().recheck();
  return a;
}

command_result skip(remote::migration& m, const std::string& path, const std::stop_token& stop) {
  const auto s = remote::skip_below(m.index(), m.readers(), path, stop);
  if (!s.known) return nothing_there(path);
  command_result a{0, fmt::format("skipped {}, {}\n", pictures(s.files), human_size(s.bytes))};
  if (s.lost_pictures > 0)
    a.text.insert(a.text.size() - 1, fmt::format(", and {} that were lost", pictures(s.lost_pictures)));
  if (s.accepted_directories > 0)
    a.text.insert(a.text.size() - 1,
                  fmt::format(", and {} that can't be listed",
                              counted(static_cast<std::int64_t>(s.accepted_directories), "directory", "directories")));
  if (s.refused_names > 0)
    a.text.insert(a.text.size() - 1, fmt::format(", and {} that can't be stored here",
                                                 counted(static_cast<std::int64_t>(s.refused_names), "name", "names")));
  if (s.unlisted_directories > 0) {
    a.error = EIO;
    a.text += fmt::format(
        "{}: {} of its directories were never listed, so nothing in them is skipped; run ferryfs scan and skip it "
        "again\n",
        printable(path), s.unlisted_directories);
  }
  return a;
}

command_result resolve(remote::migration& m, const std::string& path, remote::keep what,
                       const remote::open_files_query& open, const std::stop_token& stop) {
  const auto r = remote::resolve_below({m.where(), m.source(), m.index(), m.readers(), m.fetch(), m.replicate()}, path,
                                       what, open, stop);
  if (!r.known) return nothing_there(path);
  if (r.link_accepted) return {0, "1 link to be copied\n"};
  if (r.files + r.not_done == 0 && !r.is_directory) return {EIO, fmt::format("{}: not in conflict\n", printable(path))};
  if (r.rescan) m.rescan([](const auto&) {});
  const bool away = what == remote::keep::source && r.files == 0 && !m.source().state().reachable;
  command_result a{r.not_done == 0 ? 0
                   : away          ? EHOSTDOWN
                                   : EIO,
                   fmt::format("{} {} resolved\n", human_count(static_cast<std::int64_t>(r.files)),
                               r.files == 1 ? "conflict" : "conflicts")};
  for (const auto& why : r.reasons) a.text += why + '\n';
  if (r.not_done > r.reasons.size()) a.text += fmt::format("and {} more\n", r.not_done - r.reasons.size());
  return a;
}

command_result ready(remote::migration& m, const remote::open_files_query& open, bool as_json,
                     remote::verify_progress& progress, const std::stop_token& stop) {
  const verdict v = look_and_judge(m, open, progress, stop);
  return {v.go() ? 0 : EIO, as_json ? json_of(v).dump(2) + '\n' : text_of(v)};
}

command_result ready_quickly(remote::migration& m, const remote::open_files_query& open, bool as_json) {
  const verdict v = judge(facts_of(m, open));
  return {EIO, as_json ? quick_json_of(v).dump(2) + '\n' : quick_text_of(v)};
}

command_result verify(remote::migration& m, const std::string& path, bool with_source,
                      remote::verify_progress& progress, const std::stop_token& stop) {
  std::string lines;
  const auto v = remote::verify_below(
      {m.where(), m.source(), m.index(), m.readers(), m.suspicion()}, path,
      with_source ? remote::verify_how::both : remote::verify_how::here,
      [&](const std::string& line) { lines += line + '\n'; }, progress, stop);
  if (!v.known) return nothing_there(path);
  std::string sum = fmt::format("{} as they should be, {}", pictures(v.files), human_size(v.bytes));
  if (v.newly_digested > 0)
    sum += fmt::format(", {} of them now with a digest", human_count(static_cast<std::int64_t>(v.newly_digested)));
  if (v.wrong > 0) sum += fmt::format("; {} not", human_count(static_cast<std::int64_t>(v.wrong)));
  if (v.unverified > 0) sum += fmt::format("; {} not verified", human_count(static_cast<std::int64_t>(v.unverified)));
  if (v.uncompared > 0)
    sum += fmt::format("; {} not compared with the source: {}", human_count(static_cast<std::int64_t>(v.uncompared)),
                       v.why_uncompared);
  if (!v.complete) sum += "; interrupted";
  const bool remains = v.wrong + v.unverified > 0 || !v.complete || (v.uncompared > 0 && !m.suspicion().empty());
  const int error = remains ? EIO : v.uncompared > 0 ? EHOSTDOWN : 0;
  return {error, sum + '\n' + lines};
}

std::string verify_line(const remote::verify_progress& p) {
  if (!p.running) return "";
  std::string text =
      fmt::format("verified {} pictures, {}", human_count(static_cast<std::int64_t>(p.files)), human_size(p.bytes));
  if (p.all_files > 0)
    text += fmt::format(" of {}, {}", human_count(static_cast<std::int64_t>(p.all_files)), human_size(p.all_bytes));
  if (p.wrong > 0) text += fmt::format(", {} NOT AS THEY SHOULD BE", human_count(static_cast<std::int64_t>(p.wrong)));
  return text + '\n';
}

}  // namespace ferryfs::fs
