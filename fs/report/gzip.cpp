#include "fs/report/gzip.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "index/base/error.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

constexpr int gzip_format = 16;  // added to the window's bits: zlib writes, or takes, the header of gzip
// A line is most like the few before it: in a small window the distances of matches are short to write. With true names
// and sizes 512 bytes give up to 12 % less than the 32 KiB of gzip -9; 8 KiB and a short search give what it gives, in
// a fraction of the time.
struct effort {
  int level, window_bits, strategy;
};
constexpr effort smallest{9, 9, Z_DEFAULT_STRATEGY}, fast{4, 13, Z_FILTERED};

}  // namespace

void write_all(int fd, std::string_view bytes, const std::string& shown) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw error(exit_code::local, fmt::format("{}: {}; check the disk's space and permissions", printable(shown),
                                                std::strerror(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

gzip_writer::gzip_writer(int fd, std::string shown, bool many) : fd_(fd), shown_(std::move(shown)), out_(64 << 10) {
  const effort e = many ? fast : smallest;
  if (deflateInit2(&stream_, e.level, Z_DEFLATED, e.window_bits + gzip_format, 9, e.strategy) != Z_OK)
    throw std::bad_alloc();
  if (!many) deflateTune(&stream_, 32, 258, 258, 8);
}

void gzip_writer::add(std::string_view text) {
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib does not change it
  stream_.avail_in = static_cast<uInt>(text.size());
  run(Z_NO_FLUSH);
}

void gzip_writer::finish() {
  stream_.avail_in = 0;
  run(Z_FINISH);
}

void gzip_writer::run(int flush) {
  do {
    stream_.next_out = out_.data();
    stream_.avail_out = static_cast<uInt>(out_.size());
    deflate(&stream_, flush);
    write_all(fd_, {reinterpret_cast<const char*>(out_.data()), out_.size() - stream_.avail_out}, shown_);
  } while (stream_.avail_out == 0);
}

gzip_lines::gzip_lines(unique_fd file, std::string shown)
    : file_(std::move(file)), shown_(std::move(shown)), in_(32 << 10), out_(64 << 10) {
  if (inflateInit2(&stream_, MAX_WBITS + gzip_format) != Z_OK) throw std::bad_alloc();
}

bool gzip_lines::next(std::string& line) {
  while (true) {
    const auto end = text_.find('\n', at_);
    if (end != std::string::npos) {
      line.assign(text_, at_, end - at_);
      at_ = end + 1;
      return true;
    }
    text_.erase(0, std::exchange(at_, 0));
    // No path is that long: a damaged file is not to fill the memory.
    if (text_.size() > (1 << 20)) fail("holds a line without end");
    if (fill()) continue;
    if (!text_.empty()) fail("ends within a line");
    return false;
  }
}

// Adds some text; false at the file's end.
bool gzip_lines::fill() {
  if (ended_) return false;
  stream_.next_out = out_.data();
  stream_.avail_out = static_cast<uInt>(out_.size());
  while (stream_.avail_out > 0 && !ended_) {
    if (stream_.avail_in == 0) {
      const ssize_t n = ::read(file_.get(), in_.data(), in_.size());
      if (n < 0) fail(std::strerror(errno));
      if (n == 0) fail("is cut off");
      stream_.next_in = in_.data();
      stream_.avail_in = static_cast<uInt>(n);
    }
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END)
      ended_ = true;
    else if (result != Z_OK)
      fail("is damaged");
  }
  text_.append(reinterpret_cast<const char*>(out_.data()), out_.size() - stream_.avail_out);
  return true;
}

void gzip_lines::fail(const char* why) const {
  throw error(exit_code::local, fmt::format("{}: {}; this list is lost", printable(shown_), why));
}

}  // namespace ferryfs::fs
