// Digests as an SSH source computes them: a shell there runs sha256sum for one path after the other, over a connection
// of its own that is opened for the first request and closed when there was none for a while. Where the server allows
// no commands, has no sha256sum, or gives no answer for a path, the file is read back.
//
// Locks: mutex_ guards the queue; nothing else is locked under it, and no callback runs under it.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <string>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/sftp/event_notifier.hpp"
#include "remote/source/ssh/channel.hpp"

namespace ferryfs::remote {

class source_digests {
 public:
  // So that its connection is none too many for the server: called before it is opened, and after it was closed.
  struct connection_slot {
    std::function<void()> acquire;
    std::function<void()> release;
  };
  // `source` reads back; it and `t` outlive this.
  source_digests(archive& source, const ssh::target& t, connection_slot slot)
      : source_(source), target_(t), slot_(std::move(slot)) {}
  ~source_digests() { stop(); }

  // `absolute`: the server's own path of `path`. `done` is called on the thread of the digests or one of the
  // archive's.
  void request(std::string path, std::string absolute, archive::digest_callback done);
  // Ends every request with cause::cancelled. Blocks until the thread has ended.
  void stop();

 private:
  using clock = std::chrono::steady_clock;
  struct question {
    std::string path, absolute;
    archive::digest_callback done;

    void answer(const std::optional<failure>& why, const std::string& sha256) const noexcept;
  };
  class conversation;

  void run();
  void serve();
  bool take(question& q);
  bool has_work();
  void read_back(const question& q) noexcept;

  archive& source_;
  const ssh::target& target_;
  const connection_slot slot_;
  mutex mutex_{lock_level::leaf};
  condition wake_;
  std::deque<question> queue_ GUARDED_BY(mutex_);
  sftp::event_notifier notifier_;
  std::atomic<bool> stop_ = false;
  // Of the thread alone.
  bool is_unable_ = false;            // the server computes no digests
  clock::time_point not_before_;      // after a refusal
  thread thread_ GUARDED_BY(mutex_);  // started by the first request
};

}  // namespace ferryfs::remote
