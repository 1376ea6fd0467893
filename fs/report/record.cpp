// Writing a report: its lists, then itself, durable and then named; and removing what is too much.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <future>
#include <memory>
#include <utility>

#include "fs/report/history.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "index/model/list_line.hpp"
#include "index/query/set.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::string_view unfinished = ".new";

[[noreturn]] void fail(const std::string& shown) {
  throw error(exit_code::local,
              fmt::format("{}: {}; check the disk's space and permissions", printable(shown), std::strerror(errno)));
}

// `write` gets a file, which is durable and has its final name when this returns.
template <typename Write>
void write_durably(const std::string& path, const std::string& shown, Write&& write) {
  const std::string making = path + std::string(unfinished);
  const unique_fd file{::open(making.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644)};
  if (!file) fail(shown);
  try {
    write(file.get());
    if (::fsync(file.get()) != 0 || ::rename(making.c_str(), path.c_str()) != 0) fail(shown);
  } catch (...) {
    ::unlink(making.c_str());
    throw;
  }
}

// Lines of a list, passed on in pieces: while one is compressed, which takes as long as finding the lines, the next is
// filled.
class line_buffer {
 public:
  explicit line_buffer(gzip_writer& to) : to_(to) {}
  void add(std::uint64_t size, std::string_view path) {
    index::append_line(text_, size, path);
    if (text_.size() >= 256 << 10) pass_on();
  }
  void flush() {
    pass_on();
    passed_.get();
  }

 private:
  void pass_on() {
    if (passed_.valid()) passed_.get();
    passed_ = std::async(std::launch::async, [this, text = std::exchange(text_, {})] { to_.add(text); });
  }
  gzip_writer& to_;
  std::string text_;
  std::future<void> passed_;  // the last, so that it ends before what it uses
};

void write_set(index::reader& r, index::set set, line_buffer& lines) {
  index::list(r, set, "", [&](std::string_view path, const index::listed_picture& p) {
    lines.add(p.size, path);
    return true;
  });
}

std::int64_t time_in(const std::string& stem) {
  std::tm t{};
  return ::strptime(stem.c_str(), "%Y%m%dT%H%M%SZ", &t) == nullptr ? 0 : ::timegm(&t);
}

}  // namespace

std::optional<json> history::record(index::reader& r, const job& j, unsigned keep) {
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) fail(shown_);
  const unique_fd directory{::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory || ::flock(directory.get(), LOCK_EX) != 0) fail(shown_);
  remove_leftovers();
  const auto frozen = r.freeze();
  const auto before = names();
  json report = make_report(r, j, before.empty() ? 1 : before.back().number + 1);
  if (j.automatic && is_known(report)) return std::nullopt;
  const std::string stem = fmt::format("{:%Y%m%dT%H%M%SZ}-{}", fmt::gmtime(wall_clock::to_time_t(j.ended)),
                                       report["report"].get<unsigned>());
  write_lists(r, stem);
  const std::string text = report_file(report);
  write_durably(path(stem + ".json"), shown_ + '/' + stem + ".json", [&](int fd) { write_all(fd, text, shown_); });
  if (::fsync(directory.get()) != 0) fail(shown_);
  prune(keep);
  return json::parse(text);
}

bool history::is_known(const json& report) const {
  const auto all = names();
  if (all.empty()) return false;
  try {
    return read(all.back()).value("fingerprint", "") == report["fingerprint"].get<std::string>();
  } catch (const error&) {
    return false;
  }
}

void history::write_lists(index::reader& r, const std::string& stem) {
  const auto totals = r.totals();
  constexpr std::int64_t many = 200'000;
  const auto write = [&](std::string_view set, std::int64_t count, const std::function<void(line_buffer&)>& fill) {
    const std::string name = fmt::format("{}.{}.gz", stem, set);
    write_durably(path(name), shown_ + '/' + name, [&](int fd) {
      gzip_writer to{fd, shown_ + '/' + name, count > many};
      line_buffer lines{to};
      fill(lines);
      lines.flush();
      to.finish();
    });
  };
  for (const auto set : {index::set::missing, index::set::added, index::set::conflict, index::set::deleted,
                         index::set::skipped, index::set::failed, index::set::refused}) {
    const auto of = all_states.at(static_cast<std::size_t>(set) - static_cast<std::size_t>(index::set::common));
    if (set == index::set::missing || totals.of(of).files > 0)
      write(name_of(set), totals.of(of).files, [&](line_buffer& lines) { write_set(r, set, lines); });
  }
  if (r.lost_totals().files > 0)
    write("lost", r.lost_totals().files, [&](line_buffer& lines) {
      r.lost_pictures([&](const index::lost_picture& l) {
        lines.add(l.size, l.path);
        return true;
      });
    });
}

// The .json first: a report without its lists would be half a report.
void history::remove(const std::string& stem) {
  ::unlink(path(stem + ".json").c_str());
  const std::unique_ptr<DIR, int (*)(DIR*)> open{::opendir(directory_.c_str()), ::closedir};
  std::vector<std::string> lists;
  while (const dirent* d = open ? ::readdir(open.get()) : nullptr)
    if (std::string_view(d->d_name).starts_with(stem + '.')) lists.emplace_back(d->d_name);
  for (const auto& name : lists) ::unlink(path(name).c_str());
}

// Removes what a killed writer left: unfinished files, and lists whose report was never named.
void history::remove_leftovers() {
  std::vector<std::string> all;
  {
    const std::unique_ptr<DIR, int (*)(DIR*)> open{::opendir(directory_.c_str()), ::closedir};
    while (const dirent* d = open ? ::readdir(open.get()) : nullptr) all.emplace_back(d->d_name);
  }
  for (const auto& name : all) {
    const std::string stem = name.substr(0, name.find('.'));
    if (!parse_report_name(stem)) continue;
    const bool orphan = std::find(all.begin(), all.end(), stem + ".json") == all.end();
    if (orphan || name.ends_with(unfinished)) ::unlink(path(name).c_str());
  }
}

void history::prune(unsigned keep) {
  auto all = names();
  std::vector<kept_report> reports;
  if (all.size() <= keep) return;
  for (const auto& name : all) {
    bool automatic = false;
    try {
      automatic = read(name)["job"].value("automatic", false);
    } catch (const error&) {  // damaged: goes when it is the oldest
    }
    reports.push_back({time_in(name.stem), automatic});
  }
  while (all.size() > std::max(keep, 1U)) {
    const auto gone = static_cast<std::ptrdiff_t>(next_to_go(reports));
    remove(all[static_cast<std::size_t>(gone)].stem);
    all.erase(all.begin() + gone);
    reports.erase(reports.begin() + gone);
  }
}

}  // namespace ferryfs::fs
