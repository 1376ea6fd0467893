// One call on the files of a directory, as it goes from our process to the one that asks the kernel and may never get
// an answer (file_process.hpp), and comes back.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ferryfs::remote {

struct file_call {
  enum class what : std::uint32_t {
    resolve,  // the root's path without links: `other`
    look,     // `path`, no link followed: `shown`, and of the root `file_system`
    list,     // the entries of `path`: `data`; while there are `more` of them, the next call is list_on
    list_on,
    open,    // `path`, for reading
    read,    // `length` bytes at `offset`: `data`; `length` is what there was
    create,  // `path`, for writing, also where it is there: `shown`
    cut,     // the open file at `offset`
    write,   // `length` bytes of `data` at `offset`
    finish,  // the open file gets `mode` and `mtime`, and is durable
    close,   // the open file: `shown`
    make_directory,
    make_link,  // to `other`
    rename,     // `other` gets the name `path`; in place of what has it where `replace`
    remove,
  };
  static constexpr std::size_t longest_text = 4096;       // PATH_MAX, with the zero byte
  static constexpr std::uint32_t most_data = 128U << 10;  // what a packet of a local socket has room for

  // Asked.
  what wanted;
  std::uint32_t mode, length;
  std::uint64_t offset;
  std::int64_t mtime;
  bool replace;
  char path[longest_text], other[longest_text];

  // Answered.
  int problem;   // errno
  bool no_root;  // the root itself could not be opened, which is the problem
  bool more;     // of a list
  struct stat shown;
  std::uint64_t file_system;
  std::byte data[most_data];

  // The bytes of it to send: the end of `data` holds nothing.
  std::size_t asked_size() const { return size_with(wanted == what::write); }
  std::size_t answered_size() const {
    return size_with(wanted == what::read || wanted == what::list || wanted == what::list_on);
  }
  std::size_t size_with(bool has_data) const { return offsetof(file_call, data) + (has_data ? length : 0); }

  // False where it is too long to be a path.
  static bool put(char (&text)[longest_text], std::string_view value) {
    if (value.size() >= longest_text) return false;
    std::memcpy(text, value.data(), value.size());
    text[value.size()] = '\0';
    return true;
  }
};

// How one entry of a list begins in `data`; its name and its target follow.
struct packed_entry {
  struct stat attributes;
  std::uint32_t name, target;  // bytes
};

}  // namespace ferryfs::remote
