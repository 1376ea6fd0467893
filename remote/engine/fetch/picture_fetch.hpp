// The fetch of one picture, while it is in flight: the ranges requested and written, and the readers that wait for
// them.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/limiter.hpp"
#include "remote/engine/fetch/partial_writer.hpp"
#include "remote/engine/fetch/read_result.hpp"
#include "remote/engine/fetch/transfer_plan.hpp"
#include "remote/engine/fetch/write_pool.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// Locks: mutex_ guards the plan and the readers; it is held for arithmetic only, and no callback runs under it.
// Threads: readers come on any; `reading` is called by one of the archive's threads at a time; all that touches the
// partial file runs on the picture's own thread of the write pool, and after `complete` on the committer's.
class picture_fetch final : public reading, public std::enable_shared_from_this<picture_fetch> {
 public:
  struct dependencies {
    const destination& where;
    write_pool& writers;
    limiter& limit;
    std::uint64_t min_free;  // bytes to leave on the destination's disk by a picture that is larger than was known
    std::atomic<std::uint64_t>& reserved;  // bytes that are still to be written, of all pictures in flight
    std::atomic<std::chrono::steady_clock::time_point>& last_activity;  // when a byte of any picture last came
    // Called on the write pool when the last byte is written and the source was asked again, or when the picture
    // failed. Does not throw.
    std::function<void(const std::shared_ptr<picture_fetch>&, const std::optional<failure>&, const attributes& after)>
        on_end;
  };

  // `begun_at`: destination::namespace_version() before `e` was read.
  picture_fetch(dependencies d, const entry& e, std::uint64_t begun_at, std::string path, bool demanded);
  ~picture_fetch() override;

  const entry& row() const noexcept { return row_; }  // as it was when the fetch began
  std::uint64_t begun_at() const noexcept { return begun_at_; }
  // Its path on the source.
  const std::string& path() const override { return path_; }
  bool demanded() const noexcept { return demanded_; }
  void demand() noexcept { demanded_ = true; }
  // As the index knows it; where it does not, as far as it was learnt.
  std::uint64_t size() const noexcept { return size_; }
  // The source's file as the index is to know it, once it is complete.
  file_facts source_facts() const noexcept;

  // Calls `w` once: at once if the bytes are there, else when they are. Demand from now on; `offset` is read next.
  void wait_for(std::uint64_t offset, std::uint64_t length, std::uint64_t id, read_callback w);
  // The reader `id` is not called any more. False if it was, or is about to be.
  bool cancel(std::uint64_t id);
  // Answers all readers that wait, and from now on all that come too late.
  void answer_all(const read_result& o);
  bool is_awaited();
  // All is written, and the picture is about to be committed.
  bool is_complete() const noexcept { return complete_; }
  // When the last byte of it came, or was first asked for; now, when all are here; zero while it is queued.
  std::chrono::steady_clock::time_point last_activity() const noexcept {
    return complete_ ? steady_now() : last_activity_.load();
  }
  // Hands out no more bytes, and no reader that has the file is to read from it any more. True: some were handed out.
  // On the write pool, or after `complete`.
  bool reject();
  // Fails with `why` as soon as the source has answered all requests; readers that wait get the failure at once.
  void give_up(const failure& why);
  // The picture has left the table of fetches: no more bytes are to be written.
  void release_reserved();
  bool handed_out();
  // Bytes of it were requested, or a reader waits for it: more than its place in the queue.
  bool begun() const noexcept { return demanded_ || begun_; }

  // Prepares another attempt: what is written is kept, the rest is requested again. False after three.
  bool try_again();

  // On the write pool, as the next two, when the archive has answered all that was asked.
  transfer_plan::lacks still_lacks(const attributes& after);
  // Ends the writing: times, mode, owner, digest. Nothing, or why it can't be. `after`: as the archive showed it after
  // its last byte; `seen`: as a look at its path showed it, where one was needed.
  std::optional<failure> complete(const attributes& after, const std::optional<attributes>& seen);
  // Brings mode, times and owner to what was set here since; `now` is its row at this moment. Before it has its name.
  std::optional<failure> catch_up(const entry& now);
  const std::string& sha256() const noexcept { return writer_.sha256(); }
  file_facts local_facts() const noexcept { return writer_.local_facts(); }

  // reading
  next next_range(std::uint32_t at_most) override;
  bool urgent() const override { return demanded_; }
  void arrived(std::uint64_t offset, std::span<const std::byte> bytes) override;
  bool ends(std::uint64_t offset) override;
  void finished(const std::optional<failure>& why, const attributes& after) override;

 private:
  struct pending_read {
    std::uint64_t from, to, id;
    read_callback call;
  };
  bool is_there(const pending_read& r) const REQUIRES(mutex_);
  std::shared_ptr<const unique_fd> readable() REQUIRES(mutex_);
  partial_read hand_out(std::shared_ptr<const unique_fd> file) REQUIRES(mutex_);
  void release(std::uint64_t bytes) REQUIRES(mutex_);
  std::optional<failure> differs(const attributes& after, const std::optional<attributes>& seen) REQUIRES(mutex_);
  void answer_readers();
  static void call(const pending_read& one, const read_result& o) noexcept;
  void write(std::uint64_t offset, const std::vector<std::byte>& bytes);
  failure disk_failure(int problem) const;

  const dependencies dependencies_;
  const entry row_;
  const std::uint64_t begun_at_;
  const std::string path_;
  std::atomic<bool> demanded_;
  std::atomic<bool> begun_ = false;
  std::atomic<bool> complete_ = false;
  std::atomic<std::chrono::steady_clock::time_point> last_activity_ = std::chrono::steady_clock::time_point{};
  std::atomic<bool> broken_ = false;  // the disk refused a write, or the picture was given up
  std::atomic<std::uint64_t> size_;
  partial_writer writer_;

  mutex mutex_{lock_level::picture};
  transfer_plan plan_ GUARDED_BY(mutex_);
  std::shared_ptr<const unique_fd> file_ GUARDED_BY(mutex_);  // the partial file, for readers
  std::uint64_t reserved_ GUARDED_BY(mutex_);                 // bytes, of dependencies::reserved
  std::uint64_t prefer_ GUARDED_BY(mutex_) = 0;               // where the last reader wants to go on
  std::vector<pending_read> readers_ GUARDED_BY(mutex_);
  bool handed_out_ GUARDED_BY(mutex_) = false;
  const std::shared_ptr<std::atomic<bool>> rejected_ = std::make_shared<std::atomic<bool>>(false);
  std::optional<failure> write_failure_ GUARDED_BY(mutex_);
  std::optional<read_result> last_answer_ GUARDED_BY(mutex_);  // to all readers that come too late
  unsigned attempts_ GUARDED_BY(mutex_) = 0;
};

}  // namespace ferryfs::remote
