// Fetching: one fetch a picture, however many readers want it; demand ahead of background. This is the front, which
// readers and the replication call; flight_table holds what is in flight, and fetch_pipeline brings it.
//
// Readers are called on the write pool as the bytes that they wait for are written; callbacks of whole fetches, and
// readers of a picture whose fetch ended, on the executor "answers". All of that happens under no lock.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/engine/fetch/direct_reads.hpp"
#include "remote/engine/fetch/fetch_pipeline.hpp"
#include "remote/engine/fetch/flight_table.hpp"

namespace ferryfs::remote {

// Threads: any.
class fetcher {
 public:
  // `min_free`: bytes to leave on the destination's disk. The bytes read of a picture that does not fit beside them are
  // not kept; the background looks for itself whether one fits. `quiet`: see quiescence.
  fetcher(const destination& where, archive& source, index::writer& index, index::readers& readers, limiter& limit,
          std::uint64_t min_free = 0, std::chrono::seconds quiet = std::chrono::seconds{10});
  ~fetcher() { drain(); }
  // Blocks until nothing is in flight and all that was posted to `answers` has run; the archive must have been stopped
  // or go on answering.
  void drain();

  // The executor that calls readers and callbacks; for those of others that are like them.
  serial_executor& answers() noexcept { return pipeline_.answers(); }

  // Which gaps are at rest on the source. One that is fetched before is committed when it is.
  quiescence& file_quiescence() noexcept { return pipeline_.file_quiescence(); }

  // `open`: the files open in the mount. One that is written stays when its picture's newer form comes. Set before the
  // first fetch.
  void watch(const open_files_query& open) { open_ = open, pipeline_.watch(open); }

  // Calls `call` once, on any thread, possibly before this returns: when bytes [offset, offset + length) of the picture
  // can be read, or never will be. Returns an id for `cancel`.
  std::uint64_t await_range(inode ino, std::uint64_t offset, std::uint64_t length, read_callback call);
  // The reader `id` waits no more; it may still be called if it was about to be. The fetch goes on.
  void cancel(inode ino, std::uint64_t id);

  // When there last was a sign that the fetch of `ino` goes on: a byte of it, or, while it is queued, of any other.
  // Long ago where nothing is fetched.
  using clock = std::chrono::steady_clock;
  clock::time_point last_activity(inode ino);

  // Fetches a gap from its `path` on the source; `call` is called once, on any thread, possibly before this returns.
  // Demanded, it fails (no_room) where it does not fit.
  void fetch(const entry& gap, std::string path, priority where, fetch_callback call);

  // Bytes of what is in flight that are not on the disk yet.
  std::uint64_t reserved_bytes() const noexcept { return reserved_; }
  // Of what was read and not kept, since the start.
  std::uint64_t direct_read_count() const noexcept { return direct_.count(); }
  std::uint64_t direct_read_bytes() const noexcept { return direct_.bytes(); }

  // How many fetches still want bytes from the source; the others only wait to be committed.
  std::size_t transfers() { return table_.transfers(); }
  // Calls `call`, on any thread, whenever that number falls to `low`. Set before the first fetch.
  void on_low_watermark(std::size_t low, std::function<void()> call) {
    pipeline_.on_low_watermark(low, std::move(call));
  }

  // Fetches in flight, for the status.
  std::vector<flight_table::progress> active(std::size_t at_most) { return table_.list(at_most); }
  bool is_fetching(inode ino) { return table_.has_begun(ino); }
  rate_meter::reading throughput() { return table_.throughput(); }  // of what was committed

 private:
  flight_table::flight& make(const entry& e, std::uint64_t begun_at, std::string path, bool demanded)
      REQUIRES(table_.mutex());
  bool fits(std::uint64_t size) const;
  void give_up_unread(std::uint64_t size);
  void wait_for(picture_fetch& p, std::uint64_t offset, std::uint64_t length, std::uint64_t id, read_callback call);
  read_callback or_direct(inode ino, std::uint64_t offset, std::uint64_t length, std::uint64_t id, read_callback call);

  const destination& where_;
  index::readers& readers_;
  limiter& limit_;
  const std::uint64_t min_free_;
  open_files_query open_;
  std::atomic<clock::time_point> last_activity_ = clock::time_point{};  // the last byte of all
  std::atomic<std::uint64_t> reserved_ = 0;
  std::atomic<std::uint64_t> next_id_ = 1;
  flight_table table_;
  direct_reads direct_;
  fetch_pipeline pipeline_;
};

}  // namespace ferryfs::remote
