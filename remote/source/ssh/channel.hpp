// One SSH connection with one channel, to the server's SFTP subsystem or to a command: a stream of bytes. Belongs to
// one thread.
#pragma once

#include <libssh2.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "remote/files/unique_fd.hpp"
#include "remote/source/failure.hpp"
#include "remote/source/ssh/deadline_call.hpp"
#include "remote/source/ssh/target.hpp"

namespace ferryfs::remote::ssh {

// The server lets us in, but runs no commands.
struct no_commands : failure {
  using failure::failure;
};

class channel {
 public:
  // Connects, checks the host key and logs in, each within t.io_timeout. Blocks, but gives up when `stop` turns true.
  // Throws failure: unreachable, timeout, refused or cancelled. `t` and `stop` outlive the channel.
  // `*reached` becomes true when something has accepted the connection, whatever comes of it.
  channel(const target& t, const std::atomic<bool>& stop, bool* reached = nullptr);
  channel(channel&&) = default;

  // Starts the subsystem, or `command` where one is given (what it says on stderr is dropped); once, before all else.
  // Blocks and throws as above; no_commands.
  void start(const std::string& command = {});

  // Takes some bytes from the stream or gives some to it; 0: none now, `wait` first. Never blocks. Throws failure
  // (unreachable) when the stream has ended.
  std::size_t read(std::span<std::byte> into);
  std::size_t write(std::span<const std::byte> from);

  // The text on the command's stderr, as one line; empty where there is none. Never blocks.
  std::string complaint();

  // The other end has said all that it had to say; the connection need not be lost for that.
  bool at_end() const noexcept { return libssh2_channel_eof(channel_) == 1; }

  // Blocks until the stream may go on, `wake` (a descriptor, or -1) is readable, or the time is over.
  void wait(int wake, std::chrono::milliseconds at_most);

  // A write that libssh2 has begun must be called again with the same bytes before anything else is read or written.
  bool write_pending() const noexcept { return write_pending_; }
  // The same of a read that was about to send.
  bool read_pending() const noexcept { return read_pending_; }

 private:
  struct session_deleter {
    explicit session_deleter(int socket) noexcept : fd(socket) {}
    int fd;
    void operator()(LIBSSH2_SESSION* session) const noexcept;
  };
  [[noreturn]] void fail(const char* doing, int code) const;
  deadline_call with_deadline() const;
  void handshake(const deadline_call& wait);
  void open_session(const deadline_call& wait);
  void start_subsystem(const deadline_call& wait);
  void start_command(const deadline_call& wait, const std::string& command);

  const target* target_;
  const std::atomic<bool>* stop_;
  unique_fd socket_;
  std::unique_ptr<LIBSSH2_SESSION, session_deleter> session_{nullptr, session_deleter{-1}};
  LIBSSH2_CHANNEL* channel_ = nullptr;  // freed with the session
  bool write_pending_ = false, read_pending_ = false;
};

}  // namespace ferryfs::remote::ssh
