#include "fs/cli/log_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "fs/process/log.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::size_t most_begin = 256;  // bytes by which a file is known

[[noreturn]] void fail(const std::string& path, int problem) {
  const char* remedy = problem == ENOENT   ? "there is no log yet; sync, or a mount in the background, writes one"
                       : problem == EACCES ? "run as the user who mounted it"
                                           : "is the mount alive?";
  throw error(exit_code::local, fmt::format("{}: {}; {}", printable(path), std::strerror(problem), remedy));
}

std::size_t read_at(int fd, const std::string& path, char* to, std::size_t size, std::uint64_t at) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd, to + done, size - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::string begin_of(int fd, const std::string& path, std::size_t size) {
  std::string text(size, '\0');
  text.resize(read_at(fd, path, text.data(), size, 0));
  return text;
}

struct opened {
  std::string path;
  unique_fd fd;
  struct stat st {};
};

// The newest first. One that was renamed while they are opened is opened once.
std::vector<opened> open_all(const std::string& own) {
  std::vector<opened> files;
  for (const auto name : log_names) {
    opened o{fmt::format("{}/{}", own, name), unique_fd{}};
    o.fd = unique_fd{::open(o.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (!o.fd && errno == ENOENT) continue;
    if (!o.fd || ::fstat(o.fd.get(), &o.st) != 0) fail(o.path, errno);
    const bool twice = std::any_of(files.begin(), files.end(), [&](const opened& f) {
      return f.st.st_ino == o.st.st_ino && f.st.st_dev == o.st.st_dev;
    });
    if (!twice) files.push_back(std::move(o));
  }
  if (files.empty()) fail(fmt::format("{}/{}", own, log_names[0]), ENOENT);
  return files;
}

// The lines of one file from `at` on; `at` is then how far they were read.
bool read_lines(const opened& file, std::uint64_t& at, bool all, const log_reader::on_line& each) {
  std::string text, piece(64 << 10, '\0');
  while (const std::size_t n = read_at(file.fd.get(), file.path, piece.data(), piece.size(), at + text.size())) {
    text.append(piece, 0, n);
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
      if (!each(std::string_view(text).substr(begin, end - begin))) return false;
    text.erase(0, begin);
    at += begin;
  }
  if (!all || text.empty()) return true;
  at += text.size();
  return each(text);
}

}  // namespace

bool log_reader::read_new(const on_line& each, bool all) {
  const auto files = open_all(own_);
  // At first the oldest; else the one that was read last, or the oldest again where that is gone: all are newer then.
  std::size_t from = files.size() - 1;
  bool known = false;
  for (std::size_t i = 0; i < files.size() && !begin_.empty() && !known; ++i)
    if (begin_of(files[i].fd.get(), files[i].path, begin_.size()) == begin_) from = i, known = true;
  for (std::size_t i = from + 1; i-- > 0;) {
    std::uint64_t at = i == from && known ? read_ : 0;
    if (!read_lines(files[i], at, all || i > 0, each)) return false;
    if (at == 0) continue;  // by nothing it could be known again
    begin_ = begin_of(files[i].fd.get(), files[i].path, std::min<std::size_t>(at, most_begin));
    read_ = at;
  }
  return true;
}

}  // namespace ferryfs::fs
