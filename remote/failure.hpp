// Why something could not be had from an archive.
#pragma once

#include <cerrno>
#include <string>

namespace ferryfs::remote {

enum class cause {
  unreachable,   // no connection, or it was lost: nothing is known of the path
  refused,       // the server does not let us in: host key, login, no SFTP
  timeout,       // nothing came within the deadline
  not_found,     // the server says that the path is not there
  permission,    // the server says no to this path
  exists,        // the source has something under this name already
  changed,       // the picture is not what the index knows; it has grown, shrunk or been replaced
  unsettled,     // still being written on the source
  protocol,      // what the server sent breaks the protocol or names what can't be a name
  source_error,  // the server reports any other failure
  local_error,   // the destination can take no more bytes: its disk is read-only or broken
  no_room,       // the destination's disk is full, or would be fuller than it may
  misplaced,     // the destination can't have a file under this path: something is in the way
  cancelled,     // nobody wants it any more
};

// The disk is the reason for this errno, not the one path: others would fail, too.
inline bool is_of_disk(int problem) noexcept {
  return problem == ENOSPC || problem == EDQUOT || problem == EROFS || problem == EIO || problem == EMFILE ||
         problem == ENFILE;
}

struct failure {
  cause why;
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

}  // namespace ferryfs::remote
