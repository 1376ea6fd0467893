// One SFTP connection and the loop of the thread that runs it: takes tasks from the queue it shares with the others,
// keeps many requests in flight, hands each reply to its task.
#pragma once

#include <optional>
#include <string>

#include "remote/source/sftp/event_notifier.hpp"
#include "remote/source/sftp/handshake.hpp"
#include "remote/source/sftp/pending_requests.hpp"
#include "remote/source/sftp/predicted_handle.hpp"
#include "remote/source/sftp/reply_deadlines.hpp"
#include "remote/source/sftp/tasks_in_hand.hpp"

namespace ferryfs::remote::sftp {

class connection final : public request_sender {
 public:
  // Shared by the connections of one archive, and outlives them.
  struct shared {
    const ssh::target& target;
    queue& tasks;
    peers& others;
  };
  // `stream`: over which the greetings were exchanged.
  connection(shared with, connection_role role, ssh::channel stream, greeting shown);

  // Serves the queue until it is stopped, or until this connection is lent and has no task left. Where the connection
  // fails, ends every task that it had taken, and throws the failure. `wake` ends a wait for work.
  void serve(event_notifier& wake);

  // request_sender
  builder begin(request r) override;
  std::string absolute(const std::string& path) const override;
  std::uint32_t read_length() const override { return limits_.read_length; }
  std::uint32_t write_length() const override { return limits_.write_length; }
  const extensions& offered() const override { return greeting_.offered; }
  std::string where() const override { return shared_.target.where(); }
  std::optional<std::string> predict_handle() const override { return predictor_.predict(tasks_.count() == 1); }
  void close(std::shared_ptr<task> owner, const std::string& handle) override;

 private:
  using clock = std::chrono::steady_clock;
  void run(event_notifier& wake);
  void wait(event_notifier& wake, bool all_sent);
  bool may_leave();
  bool retry_deferred();
  bool receive();
  void dispatch(std::span<const std::byte> packet);
  void end_overtaken();
  void check_deadlines();
  [[noreturn]] void throw_timeout();
  void mark_suspect(failure why);
  void end_all(const failure& why);

  const shared shared_;
  const connection_role role_;
  const greeting greeting_;
  server_limits limits_;
  packet_stream stream_;
  flow_control flow_;
  pending_requests pending_;
  reply_deadlines deadlines_;
  open_handles handles_;
  handle_predictor predictor_;
  tasks_in_hand tasks_;
  bool suspect_marked_ = false;  // the task whose request broke the connection was ended as such, or none did
  bool silent_alone_ = false;    // the server fell silent here, and not for the others
};

}  // namespace ferryfs::remote::sftp
