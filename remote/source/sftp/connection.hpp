// One SFTP connection and the thread that runs it: takes tasks from the queue it shares with the others, keeps many
// requests in flight, hands replies to their tasks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <unordered_map>
#include <vector>

#include "remote/source/sftp/queue.hpp"
#include "remote/source/ssh/channel.hpp"

namespace ferryfs::remote::sftp {

class connection final : public wire {
 public:
  // Speaks the version exchange and looks up the root on the server; blocks, with the deadlines of `t`. Throws failure.
  connection(const ssh::target& t, ssh::channel stream, const std::atomic<bool>& stop);

  // As they were in the greeting; nothing, where the server did not tell.
  const std::optional<attributes>& root_attributes() const noexcept { return root_attributes_; }

  // Serves the queue until it is stopped or the connection fails, which it throws after it has ended every task it
  // had taken; or until it is lent. `takes_background`: false for the connection that is kept free for demand.
  // `number`: of this connection among those that share the queue.
  void serve(queue& from, waker& wake, bool takes_background, std::size_t number);

  // wire
  builder begin(request r) override;
  std::string absolute(const std::string& path) const override;
  std::uint32_t read_length() const override { return read_length_; }
  std::uint32_t write_length() const override { return write_length_; }
  const extensions& offered() const override { return offered_; }
  std::string where() const override { return target_->where(); }
  std::optional<std::string> next_handle() const override;
  void close(std::shared_ptr<task> owner, const std::string& handle) override;

 private:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t most_unsent = 256U << 10;
  class limits_task;
  void greet();
  void limited(parser& p);
  void give_way();
  std::vector<std::byte> receive_one();
  void heard_after(clock::duration waited);
  void adapt(const request& answered);
  void send_all();
  void run(queue& from, waker& wake, bool takes_background);
  bool open_again();
  void holds(type what, parser p);
  bool is_for_their_number(request& r, parser p);
  std::size_t most_open(const request& again) const;
  bool may_open() const { return refused_.empty() && opening_ + held_open_ < most_open_; }
  bool take(queue& from, bool takes_background);
  std::shared_ptr<task> next(queue& from, bool takes_background) const;
  bool has_work(queue& from, bool takes_background) const;
  bool request_more();
  bool outbox_has_room() const { return outbox_.size() - sent_ < most_unsent; }
  bool flush();
  bool receive();
  void dispatch(std::span<const std::byte> packet);
  bool leaves(const queue& from);
  void check_deadline();
  void check_overtaken();
  void end(const std::shared_ptr<task>& t, const failure& why);
  void shun(const task& t);
  void forgive(const task& t);
  void blame_oldest(failure why);
  void end_all(const failure& why);
  bool has_room() const;
  // Of all kinds; a tenth more than the background may fill.
  std::size_t most_tasks() const { return files_limit() + files_limit() / 10 + 1; }
  std::size_t listings_limit() const { return std::min(most_listings_, server_files_); }
  std::size_t files_limit() const { return std::min(most_files_, server_files_); }

  const ssh::target* target_;
  const std::atomic<bool>& stop_;
  queue* from_ = nullptr;
  std::size_t number_ = 0;
  ssh::channel stream_;
  std::string root_;
  std::optional<attributes> root_attributes_;
  std::uint32_t read_length_ = 32U << 10;  // what any server answers; more where it says so
  std::uint32_t write_length_ = 32U << 10;
  extensions offered_;
  clock::duration round_trip_ = std::chrono::hours{1};
  // What the round trip warrants, in files open at once, listings and bytes requested; what the server allows, the link
  // takes.
  std::size_t most_files_ = 0, most_listings_ = 0, server_files_ = 1000;
  std::uint64_t most_in_flight_ = 0, in_flight_limit_ = 0;
  clock::time_point adapted_;  // when in_flight_limit_ was last judged
  std::uint32_t next_id_ = 0;
  std::unordered_map<std::uint32_t, request> pending_;
  std::list<std::shared_ptr<transfer>> open_;  // with ranges still to request; demand first
  // Handles: OPENs and OPENDIRs without an answer, those that the server has given and not taken back, and as many as
  // it allows, as far as that is learnt from its refusals. What it refused while it had others open waits here until
  // there are fewer.
  std::size_t opening_ = 0, held_open_ = 0, most_open_ = SIZE_MAX;
  // How many files and how many directories are open, and the most that ever were: a server may allow few files and any
  // number of directories. By the handle, by what it was given for.
  struct held {
    std::size_t now = 0, most = 0;
  } files_held_, directories_held_;
  held& held_by(type how) { return how == type::open ? files_held_ : directories_held_; }
  std::unordered_map<std::string, type> handles_;
  std::deque<request> refused_;
  std::uint32_t last_answered_ = 0;  // the number of that request
  clock::time_point looked_for_overtaken_ = clock::now();
  bool alone_ = false;                         // it reads a file that is read alone
  bool silent_alone_ = false;                  // it fell silent, and the others did not
  std::size_t tasks_ = 0;                      // taken and not ended
  std::uint64_t in_flight_ = 0;                // bytes requested and not here
  bool culprit_told_ = false;                  // the request that broke the protocol was ended as such
  std::string closed_ = std::string(4, '\0');  // the handle that was closed last, or the first that OpenSSH gives
  bool held_back_ = false;                     // a rate limit had a reading wait
  std::vector<std::byte> outbox_, inbox_;
  std::size_t sent_ = 0, held_ = 0;
  clock::time_point heard_ = clock::now();
};

}  // namespace ferryfs::remote::sftp
