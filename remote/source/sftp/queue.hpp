// The tasks that no connection has taken yet: demanded files first, then looks at single paths, listings, background;
// and what the connections know of each other.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "remote/files/unique_fd.hpp"
#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

// Ends the poll of one connection's thread. `ring` may be called from any thread, and costs nothing while the thread is
// at work. The thread announces its sleep, looks for work once more, polls, and is awake again.
class waker {
 public:
  waker();
  int fd() const noexcept { return event_.get(); }
  void ring() noexcept;
  void fall_asleep() noexcept { asleep_ = true; }
  void wake_up() noexcept;

 private:
  unique_fd event_;
  std::atomic<bool> asleep_ = false;
};

// Threads: any. While it is closed, what is put in is refused.
class queue {
 public:
  using clock = std::chrono::steady_clock;
  // `alone`: files that a server fell silent over. Each is read by a connection that has nothing else in hand, so that
  // no other suffers with it.
  enum class line { demand, look, listing, background, alone };

  // False, and nothing queued, while closed.
  bool put(std::shared_ptr<task> t, line where);
  bool has(line l);
  // The next task of a line, or null.
  std::shared_ptr<task> take(line from);
  // The file's task moves to the front of demand if it is still here.
  void raise(const std::shared_ptr<reading>& which);

  // Refuses tasks until `open`; returns what was queued.
  std::vector<std::shared_ptr<task>> close();
  void open();

  // The server fell silent over this file: from now on it is read alone; until it was read, or others are too many.
  void shun(const std::string& path);
  void forgive(const std::string& path);
  bool is_shunned(const task& t);

  // Connection `number` heard from the server; when one of the others last did.
  void heard(std::size_t number, clock::time_point when) noexcept { heard_[number % most_connections] = when; }
  clock::time_point others_heard(std::size_t number) const noexcept;

  // The first connection is to be closed as soon as nothing is in its hand, or when this has lasted too long: another
  // one to the same server takes its place until it is given back. `sole`: of those left, there is one for all work.
  void lend(bool sole) noexcept { sole_ = sole, lent_since_ = clock::now(); }
  void take_back() noexcept { sole_ = false, lent_since_ = clock::time_point{}; }
  bool leaves_one() const noexcept { return sole_; }
  bool is_lent(std::size_t number) const noexcept { return number == 0 && lent_since_.load() != clock::time_point{}; }
  clock::duration lent_for() const noexcept { return clock::now() - lent_since_.load(); }

  void stop() noexcept { stopped_ = true; }
  const std::atomic<bool>& stopped() const noexcept { return stopped_; }

 private:
  std::deque<std::shared_ptr<task>>& at(line l) { return lines_[static_cast<std::size_t>(l)]; }

  static constexpr std::size_t most_connections = 64;
  bool shuns(const task& t) const;

  std::array<std::atomic<clock::time_point>, most_connections> heard_{};
  std::atomic<bool> sole_ = false;
  std::atomic<clock::time_point> lent_since_ = clock::time_point{};
  std::mutex mutex_;
  std::array<std::deque<std::shared_ptr<task>>, 5> lines_;
  std::set<std::string> shunned_;
  bool closed_ = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace ferryfs::remote::sftp
