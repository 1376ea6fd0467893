#include "remote/engine/quiescence.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_seen = 500'000;  // 20 MB; beyond it the oldest are looked at anew

}  // namespace

quiescence::clock::time_point quiescence::observe(inode ino, std::uint64_t size, std::int64_t mtime) {
  // By whole seconds, as a server may tell any number of them.
  const auto today = std::chrono::duration_cast<std::chrono::seconds>(wall().time_since_epoch() - young).count();
  const auto now = monotonic();
  const lock held{mutex_};
  if (mtime != 0 && mtime < today) {  // 0: the source does not tell it
    observations_.erase(ino);
    return now;
  }
  if (observations_.size() >= most_seen) make_room();
  auto& s = observations_.try_emplace(ino, observation{size, mtime, now}).first->second;
  if (s.size != size || s.mtime != mtime) s = {size, mtime, now};
  return s.since + quiet_;
}

bool quiescence::is_quiescent(inode ino, std::uint64_t size, std::int64_t mtime) {
  const auto at_rest = observe(ino, size, mtime);
  return at_rest <= monotonic();
}

void quiescence::make_room() {
  const auto now = monotonic();
  std::erase_if(observations_, [&](const auto& s) { return now - s.second.since > 2 * quiet_; });
  if (observations_.size() >= most_seen) observations_.clear();
}

}  // namespace ferryfs::remote
