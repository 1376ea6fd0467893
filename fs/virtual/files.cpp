#include "fs/virtual/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

#include "fs/report/dashboard/dashboard.hpp"
#include "fs/report/gzip.hpp"
#include "fs/report/picture_json.hpp"
#include "fs/report/status.hpp"
#include "fs/virtual/metrics.hpp"
#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"
#include "index/base/path.hpp"
#include "index/model/list_line.hpp"
#include "index/query/reasons.hpp"
#include "index/query/refused.hpp"
#include "index/query/set.hpp"
#include "index/query/unlisted_paths.hpp"

namespace ferryfs::fs {
namespace {

constexpr const char* readme =
    R"(The state of this archive as files. This directory can be reached by its name and is not listed, so that du, find and
rsync see the pictures and nothing else. It is part of the mount and goes away with it.

index.html    the dashboard: a page that needs nothing else, for any web server
status.json   where the archive stands: counts, sizes, what is being fetched
metrics       the same for Prometheus
lists/SET.txt the pictures of a set, one a line, "SIZE PATH", sorted by path as LC_ALL=C sort does; made when it is opened.
              Sets: source destination common missing new conflict deleted skipped failed refused lost unlisted.
              In a path a backslash stands as \\ and a newline as \n; every other byte stands as it is
lists/SET.json the same of failed, refused and unlisted as JSON, each picture with its reason
reports/      what scans and syncs found, TIME-NUMBER.json, and TIME-NUMBER.SET.gz, the lists of that time (zcat);
              latest.json is a link to the newest
log           what was logged, by a mount in the background and by sync; log.1 and log.2 are its older parts. It grows
              while it is read: "tail -F", or "ferryfs log -f"
control       commands are written here: pause, resume, rescan, report, limit 20M, fetch PATH, push -- PATH, … (behind
              -- all is the path). The answer can be read from the same open file; "ferryfs ctl" does that
watch         the same while a command of control runs, as the kernel takes one write to a file at a time: progress push,
              progress verify, stop push, stop verify

Each picture has its state as an attribute: getfattr -n user.ferryfs.state FILE (local, remote, fetching or conflict), and
user.ferryfs.sha256 where it is known.
)";

// With spaces at its end, so that its size seldom changes: a web server asks for the size after it has opened the file,
// and the kernel does not say by which open file.
std::string padded(std::string text, std::size_t unit) {
  if (text.ends_with('\n')) text.pop_back();
  return text.append(unit - 1 - text.size() % unit, ' ').append(1, '\n');
}

// Calls `make` at most twice a second: a reader that asks for the size, and then reads, is answered with one and the
// same, and a hundred viewers cost what one does.
std::function<std::string()> cached_briefly(std::function<std::string()> make) {
  struct cached_text {
    mutex mutex_{lock_level::virtual_file};
    std::string text GUARDED_BY(mutex_);
    std::chrono::steady_clock::time_point until GUARDED_BY(mutex_){};
  };
  return [make = std::move(make), last = std::make_shared<cached_text>()] {
    const lock held{last->mutex_};
    if (steady_now() >= last->until) {
      last->text = make();
      last->until = steady_now() + std::chrono::milliseconds(500);
    }
    return last->text;
  };
}

// A file on the destination's disk that has no name.
unique_fd nameless_file(remote::migration& m) {
  const std::string directory = m.where().reports_path();
  unique_fd file{::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
  if (file || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  std::string name = directory + "/.list-XXXXXX";
  file = unique_fd{::mkostemp(name.data(), O_CLOEXEC)};
  if (file) ::unlink(name.c_str());
  return file;
}

// A JSON array, each picture of it on a line of its own.
unique_fd open_reasons(remote::migration& m, const std::string& set) {
  unique_fd file = nameless_file(m);
  if (!file) throw std::system_error(errno, std::generic_category(), set);
  std::string text;
  bool first = true;
  index::list_reasons(*m.readers().borrow(), set, "",
                      [&](std::string_view path, std::uint64_t size, const std::string& reason) {
                        text += std::exchange(first, false) ? "[\n" : ",\n";
                        text += picture_json(size, path, reason_json(reason));
                        if (text.size() >= 256 << 10) write_all(file.get(), text, set), text.clear();
                        return true;
                      });
  text += first ? "[]\n" : "\n]\n";
  write_all(file.get(), text, set);
  return file;
}

unique_fd open_list(remote::migration& m, const std::string& set) {
  unique_fd file = nameless_file(m);
  if (!file) throw std::system_error(errno, std::generic_category(), set);
  std::string text;
  const auto add = [&](std::uint64_t size, std::string_view path) {
    index::append_line(text, size, path);
    if (text.size() >= 256 << 10) write_all(file.get(), text, set), text.clear();
    return true;
  };
  const auto reader = m.readers().borrow();
  if (set == "refused")
    index::list_refused(*reader, "", [&](std::string_view path, std::uint64_t size) { return add(size, path); });
  else if (const auto which = index::set_named(set))
    index::list(*reader, *which, "", [&](std::string_view path, const auto& p) { return add(p.size, path); });
  else if (set == "unlisted")
    for (const auto& path : index::unlisted_paths(*reader)) add(0, path);
  else
    reader->lost_pictures([&](const index::lost_picture& l) { return add(l.size, l.path); });
  write_all(file.get(), text, set);
  return file;
}

}  // namespace

std::vector<virtual_directory::file> virtual_files(remote::migration& m, std::function<bool()> passes_through) {
  const auto status = [&m, passes = std::move(passes_through)] {
    json s = status_of(m);
    s["disk"]["passthrough"] = passes();
    return padded(s.dump(2), 128);
  };
  std::vector<virtual_directory::file> files{
      {"README", 0444, [] { return std::string(readme); }},
      {"control", 0600, {}},
      {"watch", 0600, {}},
      {"index.html", 0444, cached_briefly([&m] { return padded(dashboard_of(m), 16 << 10); })},
      {"metrics", 0444, [&m] { return metrics_of(m); }},
      {"status.json", 0444, status},
  };
  for (const std::string set : {"source", "destination", "common", "missing", "new", "conflict", "deleted", "skipped",
                                "failed", "refused", "lost", "unlisted"}) {
    files.push_back({set + ".txt", 0444, {}, [&m, set] { return open_list(m, set); }, "lists"});
    if (index::has_reasons(set))
      files.push_back({set + ".json", 0444, {}, [&m, set] { return open_reasons(m, set); }, "lists"});
  }
  return files;
}

}  // namespace ferryfs::fs
