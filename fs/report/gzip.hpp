// The gzip files of reports: written and read as streams, with buffers of some 10 KiB.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// Writes to `fd`, which stays the caller's. Of `many` lines a little more is written, in a fraction of the time. Throws
// ferryfs::error (local) naming `shown` where the disk refuses.
class gzip_writer {
 public:
  gzip_writer(int fd, std::string shown, bool many = false);
  ~gzip_writer() { deflateEnd(&stream_); }
  gzip_writer(const gzip_writer&) = delete;
  gzip_writer& operator=(const gzip_writer&) = delete;

  void add(std::string_view text);
  // Ends the file; without it, it is damaged.
  void finish();

 private:
  void run(int flush);
  int fd_;
  std::string shown_;
  z_stream stream_{};
  std::vector<unsigned char> out_;
};

// The lines of a gzip file. Throws ferryfs::error (local) naming `shown` where it is damaged or ends too early.
class gzip_lines {
 public:
  gzip_lines(unique_fd file, std::string shown);
  ~gzip_lines() { inflateEnd(&stream_); }
  gzip_lines(const gzip_lines&) = delete;
  gzip_lines& operator=(const gzip_lines&) = delete;

  // The next line, without its newline; false at the end.
  bool next(std::string& line);

 private:
  bool fill();
  [[noreturn]] void fail(const char* why) const;
  unique_fd file_;
  std::string shown_;
  z_stream stream_{};
  std::vector<unsigned char> in_, out_;
  std::string text_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

// Writes all of it; throws ferryfs::error (local) naming `shown`.
void write_all(int fd, std::string_view bytes, const std::string& shown);

}  // namespace ferryfs::fs
