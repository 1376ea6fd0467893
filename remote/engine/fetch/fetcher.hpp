// Fetching: one fetch a picture, however many want it; demand ahead of background.
//
// Locks: mutex_ guards the table of fetches; its place in the order of locks is in
// remote/engine/migration/migration.hpp. No callback runs under it. Whoever waits for bytes is told on a disk thread as
// they are written; the end of a fetch is told on a thread that holds no lock and that nothing else waits for.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "index/base/serial_executor.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/engine/fetch/landing.hpp"
#include "remote/engine/fetch/picture.hpp"
#include "remote/engine/fetch/second_looks.hpp"
#include "remote/engine/fetch/speedometer.hpp"
#include "remote/engine/fetch/unkept.hpp"
#include "remote/engine/settling.hpp"

namespace ferryfs::remote {

class fetcher {
 public:
  // `min_free`: bytes to leave on the destination's disk. What somebody reads of a picture that does not fit beside
  // them is not kept; the background looks for itself whether one fits.
  fetcher(const destination& where, archive& source, index::writer& index, index::readers& readers, limiter& limit,
          std::uint64_t min_free = 0, std::chrono::seconds quiet = std::chrono::seconds{10});
  ~fetcher() { drain(); }
  // Blocks until nothing is on its way; the archive must have been stopped or go on answering.
  void drain();

  // Which gaps are at rest on the source. One that is fetched before lands when it is.
  settling& rest() noexcept { return rest_; }

  // What is open in the mount: a file that is written stays when its picture's newer form comes. Set before the first
  // fetch.
  void watch(const in_use& open) { open_ = open, landing_.watch(open); }

  // Calls `w` once, on any thread, possibly before this returns: when bytes [offset, offset + length) of the picture
  // can be read, or never will be. Returns an id for `forget`.
  std::uint64_t want(inode ino, std::uint64_t offset, std::uint64_t length, waiter w);
  // Nobody waits for `id` any more; its waiter may still be called if it was about to be. The fetch goes on.
  void forget(inode ino, std::uint64_t id);

  // When there last was a sign that the fetch of `ino` goes on: a byte of it, or, while it is queued, of any other.
  // Long ago where nothing is fetched.
  using clock = std::chrono::steady_clock;
  clock::time_point last_sign(inode ino);

  // Fetches a gap from its `path` on the source; `done` is called once, on any thread, possibly before this returns:
  // with nothing when it is local. Demanded, it fails (no_room) where it does not fit.
  using done = std::function<void(const std::optional<failure>&)>;
  void fetch(const entry& gap, std::string path, priority where, done call);

  // Bytes of what is on its way that are not on the disk yet.
  std::uint64_t owed() const noexcept { return owed_; }
  // Of what was read and not kept.
  std::uint64_t unkept_reads() const noexcept { return unkept_.reads(); }
  std::uint64_t unkept_bytes() const noexcept { return unkept_.bytes(); }

  // How many fetches still want bytes from the source; the rest only wait to land.
  std::size_t on_the_way();
  // `call`, on any thread, whenever that number falls to `low`. Set before the first fetch.
  void when_slack(std::size_t low, std::function<void()> call);

  // A fetch that is on its way, for the status.
  struct progress {
    std::string path;
    std::uint64_t size;
    bool demanded;
  };
  std::vector<progress> active(std::size_t at_most);
  bool is_fetching(inode ino);
  speedometer& speed() noexcept { return speed_; }  // of what landed

 private:
  struct flight {
    std::shared_ptr<remote::picture> file;
    std::vector<done> calls;
  };
  std::shared_ptr<picture> make(const entry& e, std::uint64_t begun_at, std::string path, bool demanded);
  void read(const std::shared_ptr<picture>& p, priority where);
  void raise(const std::shared_ptr<picture>& p) noexcept;
  void ended(const std::shared_ptr<picture>& p, const std::optional<failure>& why, const attributes& after);
  void judge(const std::shared_ptr<picture>& p, const std::optional<failure>& why, const attributes& after);
  void look_at(const std::shared_ptr<picture>& p, const attributes& after);
  void complete(const std::shared_ptr<picture>& p, const attributes& after, const std::optional<attributes>& seen);
  void failed(const std::shared_ptr<picture>& p, const failure& why, const attributes& after) noexcept;
  void end(const std::shared_ptr<picture>& p, const std::optional<failure>& why);
  void look_again_at(clock::time_point when, const std::shared_ptr<picture>& p, const attributes& before);
  bool dies_of(inode ino);
  bool is_awaited(picture& p);
  bool fits(std::uint64_t size) const;
  void give_up_unread(std::uint64_t size);
  waiter or_unkept(inode ino, std::uint64_t offset, std::uint64_t length, std::uint64_t id, waiter w);
  void landed(const std::shared_ptr<picture>& p, const std::optional<failure>& why);
  void record(const std::shared_ptr<picture>& p, const failure& why, bool seen);
  void retry_changed(const std::shared_ptr<picture>& p, const attributes& after);
  void over(const std::shared_ptr<picture>& p, const std::optional<failure>& why);
  void off_the_way() noexcept;
  void told();

  const destination& where_;
  archive& source_;
  index::writer& index_;
  index::readers& readers_;
  limiter& limit_;
  const std::uint64_t min_free_;
  in_use open_;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::atomic<clock::time_point> heard_ = clock::time_point{};  // the last byte of all
  std::atomic<std::uint64_t> owed_ = 0;
  std::unordered_map<inode, flight> flights_;
  std::size_t telling_ = 0;                       // threads that tell somebody of a fetch that has left the table
  std::size_t on_the_way_ = 0;                    // of them, those not yet in the landing
  std::unordered_map<inode, unsigned> suspects_;  // how often a connection ended at their requests
  std::size_t slack_ = 0;
  std::function<void()> slack_call_;
  std::atomic<std::uint64_t> next_id_ = 1;
  speedometer speed_;
  ferryfs::remote::unkept_reads unkept_;
  serial_executor callbacks_{"end of a fetch"};
  disk writers_;
  landing landing_;
  settling rest_;
  second_looks looks_;
};

}  // namespace ferryfs::remote
