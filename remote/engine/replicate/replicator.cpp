#include "remote/engine/replicate/replicator.hpp"

#include <utility>

namespace ferryfs::remote {

replicator::replicator(dependencies d, std::uint64_t min_free)
    : dependencies_(d),
      queue_(d.readers),
      room_(d.where, min_free),
      entry_maker_(d.where, d.index, d.readers, d.links),
      time_differences_(d.where, d.source, d.index) {
  d.fetch.on_low_watermark(d.source.max_in_flight() * 3 / 4, [this] {
    {
      const lock held{mutex_};
      low_ = true;
    }
    wake_.notify_all();
  });
  thread_ = thread{"replicator", [this](const std::stop_token& stop) { run(stop); }};
}

replicator::~replicator() { stop(); }

void replicator::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void replicator::pause() { paused_ = true; }

void replicator::resume() {
  paused_ = false;
  recheck();
}

void replicator::recheck() {
  {
    const lock held{mutex_};
    again_ = true;
    standstill_.end();
  }
  wake_.notify_all();
}

void replicator::when_idle(std::function<void()> call) {
  {
    const lock held{mutex_};
    idle_calls_.push_back(std::move(call));
    again_ = true;
  }
  wake_.notify_all();
}

std::string replicator::blocked_by() {
  const lock held{mutex_};
  return standstill_.why();
}

room::shortage replicator::waiting() {
  const lock held{mutex_};
  return waiting_;
}

}  // namespace ferryfs::remote
