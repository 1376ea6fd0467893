#include "fs/virtual/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <system_error>

#include "fs/process/log.hpp"
#include "fs/report/history.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::string_view lists_name = "lists", reports_name = "reports", latest_name = "latest.json",
                           log_mark = "log/";
constexpr mode_t log_mode = 0400;  // it tells more of the server than the view does

bool is_file(const std::string& path, struct stat& st) {
  return ::lstat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

}  // namespace

virtual_directory::virtual_directory(std::vector<file> files, std::string reports, std::string log, std::uint32_t uid,
                                     std::uint32_t gid)
    : files_(std::move(files)), reports_(std::move(reports)), log_(std::move(log)), uid_(uid), gid_(gid) {}

bool virtual_directory::is_shown(std::string_view name) const {
  if (name == latest_name) return true;
  const auto dot = name.find('.');
  return parse_report_name(name.substr(0, dot)) && (name.ends_with(".json") || name.ends_with(".gz"));
}

inode virtual_directory::number_of(std::string_view report) {
  const lock held{mutex_};
  auto known = std::find(seen_.begin(), seen_.end(), report);
  if (known == seen_.end()) known = seen_.insert(known, std::string(report));
  return first_report + static_cast<inode>(known - seen_.begin());
}

std::string virtual_directory::report_of(inode ino) {
  const lock held{mutex_};
  return ino - first_report < seen_.size() ? seen_[ino - first_report] : "";
}

inode virtual_directory::child(inode parent, std::string_view name) {
  if (parent == first && name == lists_name) return lists_inode;
  if (parent == first && name == reports_name) return reports_inode;
  if (parent == reports_inode) {
    if (!is_shown(name)) return 0;
    if (name == latest_name) return latest();
    // Only what is there gets a number, which it keeps: anybody may ask for any name.
    struct stat real {};
    return is_file((reports_ + '/').append(name), real) ? number_of(name) : 0;
  }
  if (parent == first && std::find(log_names.begin(), log_names.end(), name) != log_names.end()) return log_child(name);
  for (std::size_t i = 0; i < files_.size(); ++i)
    if (files_[i].name == name && (parent == lists_inode) == (files_[i].in == lists_name)) return first_file + i;
  return 0;
}

std::vector<std::pair<std::string, inode>> virtual_directory::list(inode directory) {
  std::vector<std::pair<std::string, inode>> names{{".", directory}, {"..", directory == first ? root_inode : first}};
  if (directory == reports_inode) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open{::opendir(reports_.c_str()), ::closedir};
    while (const dirent* d = open ? ::readdir(open.get()) : nullptr)
      if (is_shown(d->d_name) && d->d_name != latest_name) names.emplace_back(d->d_name, number_of(d->d_name));
    if (const inode link = latest(); link != 0) names.emplace_back(latest_name, link);
    std::sort(names.begin() + 2, names.end());
    return names;
  }
  for (std::size_t i = 0; i < files_.size(); ++i)
    if ((directory == lists_inode) == (files_[i].in == lists_name)) names.emplace_back(files_[i].name, first_file + i);
  if (directory == first) {
    names.emplace_back(lists_name, lists_inode);
    names.emplace_back(reports_name, reports_inode);
    for (const auto name : log_names)
      if (const inode log = log_child(name); log != 0) names.emplace_back(name, log);
  }
  return names;
}

// A file of the log keeps its inode when it gets another name: so `tail -F` finds that a new one stands in its place.
inode virtual_directory::log_child(std::string_view name) {
  struct stat real {};
  if (!is_file(std::string(log_).append(name.substr(log_names[0].size())), real)) return 0;
  return number_of(fmt::format("{}{}", log_mark, real.st_ino));
}

// On the disk, of a report or a file of the log; empty: the log's file is gone.
std::string virtual_directory::path_of(inode ino) {
  const std::string name = report_of(ino);
  if (!name.starts_with(log_mark)) return reports_ + '/' + name;
  for (const auto log : log_names) {
    struct stat real {};
    std::string path = std::string(log_).append(log.substr(log_names[0].size()));
    if (is_file(path, real) && std::to_string(real.st_ino) == name.substr(log_mark.size())) return path;
  }
  return "";
}

// Another link, with another inode, for each newest report: the kernel may keep where a link leads.
inode virtual_directory::latest() {
  const auto all = history{reports_, reports_}.names();
  return all.empty() ? 0 : number_of(fmt::format("{}/{}.json", latest_name, all.back().stem));
}

std::string virtual_directory::target(inode ino) {
  const std::string name = is_steady(ino) ? "" : report_of(ino);
  return name.find('/') == latest_name.size() ? name.substr(latest_name.size() + 1) : "";
}

std::optional<struct stat> virtual_directory::attributes(inode ino) {
  struct stat st {};
  // Another time whenever it is asked for: the kernel reads a directory again whose time is another.
  ::clock_gettime(CLOCK_REALTIME, &st.st_mtim);
  if (ino <= first + subdirectories) {  // a directory, or the ".." of its listing
    st.st_mode = S_IFDIR | 0555;
  } else if (is_steady(ino)) {
    const file& f = at(ino);
    st.st_mode = S_IFREG | f.mode;
    if (f.content) st.st_size = static_cast<off_t>(f.content().size());
  } else if (const std::string to = target(ino); !to.empty()) {
    st.st_mode = S_IFLNK | 0777;
    st.st_size = static_cast<off_t>(to.size());
  } else {
    struct stat real {};
    if (!is_file(path_of(ino), real)) return std::nullopt;
    st.st_mode = S_IFREG | (report_of(ino).starts_with(log_mark) ? log_mode : 0444);
    st.st_size = real.st_size, st.st_mtim = real.st_mtim;
  }
  st.st_ino = ino;
  st.st_nlink = 1;
  st.st_uid = uid_;
  st.st_gid = gid_;
  st.st_atim = st.st_ctim = st.st_mtim;
  return st;
}

virtual_directory::opened virtual_directory::open(inode ino) {
  if (is_steady(ino)) {
    const file& f = at(ino);
    if (f.open) return {"", f.open()};
    return {f.content ? f.content() : "", unique_fd{}};
  }
  const std::string path = path_of(ino);
  unique_fd report{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!report) throw std::system_error(errno, std::generic_category(), path);
  return {"", std::move(report)};
}

}  // namespace ferryfs::fs
