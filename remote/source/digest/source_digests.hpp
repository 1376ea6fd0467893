// Digests as an SSH source computes them: a shell there runs sha256sum for one path after the other, over a connection
// of its own that is opened when somebody asks and closed when nobody has for a while. Where the server allows no
// commands, has no sha256sum, or gives no answer for a path, the file is read back.
//
// Locks: mutex_ guards the queue. No callback runs under it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "remote/source/archive.hpp"
#include "remote/source/sftp/queue.hpp"
#include "remote/source/ssh/channel.hpp"

namespace ferryfs::remote {

class source_digests {
 public:
  // So that its connection is none too many for the server: called before it is opened, and after it was closed.
  struct place {
    std::function<void()> take;
    std::function<void()> leave;
  };
  // `source` reads back; it and `t` outlive this.
  source_digests(archive& source, const ssh::target& t, place among)
      : source_(source), target_(t), among_(std::move(among)) {}
  ~source_digests() { stop(); }

  // `absolute`: the server's own path of `path`. `done` is called on this one's thread or the archive's.
  void want(std::string path, std::string absolute, archive::digested done);
  // Ends what is asked for with cause::cancelled. Blocks until the thread has ended.
  void stop();

 private:
  using clock = std::chrono::steady_clock;
  struct question {
    std::string path, absolute;
    archive::digested done;
  };
  class conversation;

  void run();
  void serve();
  bool take(question& q);
  bool has_work();
  void read_back(const question& q) noexcept;

  archive& source_;
  const ssh::target& target_;
  const place among_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<question> queue_;
  sftp::waker waker_;
  std::atomic<bool> stop_ = false;
  bool never_ = false;            // the server does not do it
  clock::time_point not_before_;  // after a refusal
  std::thread thread_;
};

}  // namespace ferryfs::remote
