// Why something could not be had from an archive.
#pragma once

#include <cerrno>
#include <exception>
#include <string>
#include <utility>

namespace ferryfs::remote {

enum class cause {
  unreachable,    // no connection, or it was lost: nothing is known of the path
  refused,        // the server does not let us in: host key, login, no SFTP
  timeout,        // nothing came within the deadline
  not_found,      // the server says that the path is not there
  permission,     // the server says no to this path
  exists,         // the source has something under this name already
  changed,        // the picture is not what the index knows; it has grown, shrunk or been replaced
  still_written,  // still being written on the source
  protocol,       // what the server sent breaks the protocol or names what can't be a name
  source_error,   // the server reports any other failure
  local_error,    // the destination can take no more bytes: its disk is read-only or broken
  no_room,        // the destination's disk is full, or would be fuller than it may
  misplaced,      // the destination can't have a file under this path: something is in the way
  cancelled,      // it is not needed any more
};

// The disk is the reason for this errno, not the one path: others would fail, too.
inline bool is_of_disk(int problem) noexcept {
  return problem == ENOSPC || problem == EDQUOT || problem == EROFS || problem == EIO || problem == EMFILE ||
         problem == ENFILE;
}

struct failure : std::exception {
  failure() = default;
  failure(cause c, std::string says, bool is_suspect = false) : why(c), text(std::move(says)), suspect(is_suspect) {}
  const char* what() const noexcept override { return text.c_str(); }

  cause why = cause::unreachable;
  std::string text;  // one line: where, and the cause
  // The connection ended while this was the oldest request without an answer. A server answers in order, so if that
  // happens again and again, the request is what it dies of.
  bool suspect = false;

  // The destination's disk is the reason: others would fail as well.
  bool of_disk() const noexcept { return why == cause::local_error || why == cause::no_room; }
  // Says nothing about the path itself: the same request may succeed over another connection.
  bool of_connection() const noexcept {
    return why == cause::unreachable || why == cause::refused || why == cause::timeout || why == cause::cancelled;
  }
};

// The failure that an exception stands for: itself; else one of `where` (for the message), which is local_error where
// others would fail as well, and misplaced where it is that item's alone.
failure failure_of(const std::exception_ptr& thrown, const std::string& where);

}  // namespace ferryfs::remote
