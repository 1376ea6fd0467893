// One piece of work of a connection: it reads one file, lists one directory, looks at one path. Each task is a small
// state machine driven by the replies to its own requests, on the thread of the connection that took it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "remote/source/archive.hpp"
#include "remote/source/sftp/packet.hpp"

namespace ferryfs::remote::sftp {

class task;

// A request that waits for its reply.
struct request {
  std::shared_ptr<task> owner;
  type sent = type::init;
  range part;             // of a READ
  directory_entry about;  // of a listing's LSTAT or READLINK: the entry it completes
  bool exists = false;    // the same: an LSTAT showed it
  unsigned refusals = 0;  // of an OPEN or OPENDIR that was refused while others were open
  std::chrono::steady_clock::time_point sent_at = {};
  std::uint64_t in_flight_before = 0;  // bytes that were requested and not here when it was sent
};

// The extensions that a server offers beyond version 3.
struct extensions {
  bool limits = false, posix_rename = false, fsync = false, statvfs = false;
};

// SYMLINK's two paths: the draft has the link's own first, OpenSSH's server, which others follow, its target.
enum class link_order { unknown, target_first, link_first };

// The part of a connection that its tasks may use.
class request_sender {
 public:
  virtual ~request_sender() = default;
  // Begins a request; the caller appends its fields to the builder and ends it.
  virtual builder begin(request r) = 0;
  // The server's path of one relative to the archive's root.
  virtual std::string absolute(const std::string& path) const = 0;
  virtual std::uint32_t read_length() const = 0;   // longest READ that the server answers
  virtual std::uint32_t write_length() const = 0;  // longest WRITE that it takes
  virtual const extensions& offered() const = 0;
  virtual std::string where() const = 0;  // for messages
  // The handle that the server will most likely give to what is opened next (predicted_handle.hpp); nothing: no
  // prediction.
  virtual std::optional<std::string> predict_handle() const { return std::nullopt; }
  // Sends CLOSE.
  virtual void close(std::shared_ptr<task> owner, const std::string& handle);
  // The order in which the server takes a link's two paths, once a task has found it out.
  link_order order_of_links() const noexcept { return order_of_links_; }
  void set_order_of_links(link_order order) noexcept { order_of_links_ = order; }

 private:
  link_order order_of_links_ = link_order::unknown;
};

class task : public std::enable_shared_from_this<task> {
 public:
  virtual ~task() = default;
  virtual void start(request_sender& w) = 0;
  // A reply to one of its requests; `p` stands behind the id. Throws `protocol_error`.
  virtual void reply(request_sender& w, const request& r, type got, parser& p) = 0;
  // The connection is gone, or never took it: ends the task.
  virtual void lost(const failure& why) = 0;
  // A refusal of its OPEN or OPENDIR may come of the number of handles that are open. The connection then calls `retry`
  // when there are fewer, which sends the same request with its `refusals`.
  virtual bool may_be_for_number(const request&) const noexcept { return true; }
  virtual void retry(request_sender&, const request&) {}
  // The connection counts this task; another one than itself, where it is a part of that.
  virtual const task& counted() const noexcept { return *this; }
  bool ended() const noexcept { return ended_; }

 protected:
  bool ended_ = false;
};

// A task that moves the bytes of an open file: once its OPEN was answered, it gets turns to request more.
class transfer : public task {
 public:
  // Requests one more range, if its file has one. `enough`: it needs no more turns.
  virtual next_step request_more(request_sender& w) = 0;
  // A reader waits for it: it goes ahead of the others.
  virtual bool urgent() const = 0;
};

// The code of a STATUS reply, whose parser stays where it is.
status code_of(parser p);

// The words of a STATUS reply, for people; the parser stays where it is.
std::string words_of(parser p);

// Turns a STATUS reply into a failure of `path`. `where`: the server, for the message.
failure status_failure(const std::string& where, const std::string& path, parser& p);
inline failure status_failure(const request_sender& w, const std::string& path, parser& p) {
  return status_failure(w.where(), path, p);
}

// Ends a task by `lost`. An exception of its owner's callback is logged and goes no further.
void fail_task(task& t, const failure& why) noexcept;

// Looks at one path: LSTAT, and where that does not show the kind of file, READLINK, OPENDIR and OPEN. Where there is a
// callback for it, also the number of the file system that the path lies on (statvfs@openssh.com).
class stat_task final : public task {
 public:
  using callback = std::function<void(const std::optional<failure>&, const attributes&)>;
  // Nothing: the server does not show it. Called before the callback.
  using on_file_system = std::function<void(std::optional<std::uint64_t>)>;
  stat_task(std::string path, callback call, on_file_system call_too = {})
      : path_(std::move(path)), on_done_(std::move(call)), on_file_system_(std::move(call_too)) {}
  void start(request_sender& w) override;
  void reply(request_sender& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override;

 private:
  void accept_attributes(request_sender& w, type got, parser& p);
  void learn_kind(request_sender& w);
  void end(const std::optional<failure>& why, const attributes& a);
  std::string path_;
  callback on_done_;
  on_file_system on_file_system_;
  bool awaits_file_system_ = false;
  std::optional<std::uint64_t> file_system_;
  std::optional<std::pair<std::optional<failure>, attributes>> looked_;  // and the file system is still to come
  attributes seen_;
  bool exists_ = false;  // LSTAT showed it
};

}  // namespace ferryfs::remote::sftp
