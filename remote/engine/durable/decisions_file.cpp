#include "remote/engine/durable/decisions_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "index/base/disk.hpp"
#include "remote/files/beneath.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::remote {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path + " cannot be written");
}

void write_all(const unique_fd& file, std::string_view text, std::uint64_t at, const std::string& path) {
  while (!text.empty()) {
    const auto n = disk().pwrite(file.get(), text.data(), text.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path);
    text.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
}

// At most `most` bytes from the offset `from`.
std::string tail_of(const unique_fd& file, std::uint64_t from, std::size_t most) {
  std::string tail(most, '\0');
  const auto n = disk().pread(file.get(), tail.data(), most, static_cast<off_t>(from));
  tail.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return tail;
}

}  // namespace

std::uint64_t append_decisions(const std::string& path, std::uint64_t known, std::string_view text) {
  const unique_fd file{disk().open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
  struct stat st {};
  if (!file || disk().fstat(file.get(), &st) != 0) fail(path);
  const auto length = static_cast<std::uint64_t>(st.st_size);
  // A person's own lines, if it is neither: they stay.
  const std::string tail = known <= length ? tail_of(file, known, text.size()) : "";
  const bool cut_off = known <= length && text.starts_with(tail);
  const auto at = cut_off ? known : length;
  const bool torn = at > 0 && tail_of(file, at - 1, 1) != "\n";
  const std::string whole = (torn ? "\n" : "") + std::string(text);
  write_all(file, whole, at, path);
  if (disk().fdatasync(file.get()) != 0) fail(path);
  return std::max(length, at + whole.size());
}

void read_decisions(const std::string& path, std::uint64_t from, std::uint64_t to,
                    const std::function<void(const std::string& line, std::uint64_t end)>& each) {
  const unique_fd opened{disk().open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (!opened && errno == ENOENT) return;
  if (!opened) throw std::system_error(errno, std::generic_category(), path + " cannot be read");
  std::string text;  // not passed on yet
  for (std::uint64_t at = from, read = from; at < to;) {
    const std::string more = tail_of(opened, read, 64 << 10);
    read += more.size(), text += more;
    std::size_t begin = 0;
    for (std::size_t end; at < to && (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      at += end + 1 - begin;
      each(text.substr(begin, end - begin), at);
    }
    text.erase(0, begin);
    if (more.empty()) return;  // a line without an end may have lost some of its path
  }
}

std::uint64_t length_of_decisions(const std::string& path) {
  struct stat st {};
  return disk().lstat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) ? static_cast<std::uint64_t>(st.st_size) : 0;
}

}  // namespace ferryfs::remote
