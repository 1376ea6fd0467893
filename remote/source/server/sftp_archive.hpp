// An old server's archive over SFTP: up to `sessions` connections that share one queue.
//
// Locks: connecting_ is held by the one thread that is logging in (sshd's MaxStartups, and nobody else needs to try;
// once it is in, the next begins while it still opens its channel);
// state_mutex_ is taken under it, never the other way round. No lock is held while a callback runs.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "remote/source/archive.hpp"
#include "remote/source/digest/source_digests.hpp"
#include "remote/source/sftp/change_task.hpp"
#include "remote/source/sftp/connection.hpp"
#include "remote/source/sftp/queue.hpp"
#include "remote/source/ssh/target.hpp"

namespace ferryfs::remote::sftp {

class sftp_archive final : public archive {
 public:
  // Starts the threads, and waits until the first of them is connected or has failed. Then state() says why, and they
  // go on trying.
  sftp_archive(ssh::target t, std::size_t sessions);
  ~sftp_archive() override { stop(); }

  void list(const std::string& path, std::shared_ptr<listing> to) override;
  void stat(const std::string& path, stat_task::done done) override;
  void read(std::shared_ptr<reading> to, lane where) override;
  void digest(const std::string& path, digested done) override;
  void raise(const std::shared_ptr<reading>& which) override;
  void write(std::shared_ptr<writing> from) override;
  void make_directory(const std::string& path, std::uint32_t mode, changed done) override;
  void make_link(const std::string& path, const std::string& target, changed done) override;
  void rename(const std::string& from, const std::string& to, bool replace, changed done) override;
  void remove(const std::string& path, changed done) override;
  bool can_replace() const override;
  health state() const override;
  void observe(std::function<void(const health&)> told) override;
  void stop() override;
  std::size_t depth() const override;
  // As the last look at the root showed it, where the server offers statvfs@openssh.com.
  std::optional<std::uint64_t> file_system() const override;

  // The root, where it was seen within the last second; nothing is asked.
  std::optional<attributes> root_just_seen() const;

 private:
  struct worker {
    waker wake;
    std::jthread thread;
  };
  void put(std::shared_ptr<task> t, queue::line where);
  void look_at_root(stat_task::done done);
  void saw_root(const std::optional<attributes>& shown, unsigned answers);
  std::optional<attributes> take_seen_root();
  void change_names(change c, changed done);
  void ring(queue::line where);
  bool takes_background(std::size_t number) const;
  void run(std::size_t number);
  std::unique_ptr<connection> connect();
  void pause(unsigned failures, bool refused);
  bool may_be_full(const failure& why, bool reached, unsigned failures);
  bool refused_by_number(const failure& why, unsigned failures);
  std::unique_ptr<connection> greet(ssh::channel stream);
  void tried();  // with state_mutex_
  void logged_in(bool greets);
  void wait_for_another();
  void wait_while_lent();
  void lend();
  void take_back();
  void up();
  void down(const failure& why, bool was_in);  // logged in, before it failed
  void closed(const failure& why);
  void announce(std::function<void()> call);
  void announcements(const std::stop_token& stop);

  const ssh::target target_;
  queue queue_;
  std::mutex connecting_;

  mutable std::mutex state_mutex_;
  std::condition_variable news_;  // a connection stands or could not be made, or all is to stop
  health health_;
  failure last_;
  std::string root_;  // on the server; empty before the first connection
  std::optional<attributes> root_attributes_;
  std::chrono::steady_clock::time_point root_seen_;
  unsigned seen_answers_ = 0;  // looks that are still answered with what was seen, within a second
  std::optional<std::uint64_t> file_system_;
  bool can_replace_ = false;
  std::size_t established_ = 0, greeting_ = 0;  // connections that stand; that are logged in, and not yet up
  bool first_holds_ = false;                    // the first of them stands, or is being made
  bool tried_ = false;                          // the first connection stands, or could not be made
  std::function<void(const health&)> observer_;

  std::mutex announce_mutex_;
  std::condition_variable_any announce_wake_;
  std::deque<std::function<void()>> announcements_;
  bool announced_all_ = false;  // the announcer has ended: whoever has news tells it himself
  std::jthread announcer_;
  std::vector<std::unique_ptr<worker>> workers_;
  source_digests digests_{*this, target_, {[this] { lend(); }, [this] { take_back(); }}};
};

}  // namespace ferryfs::remote::sftp
