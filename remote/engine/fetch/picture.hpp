// One picture on its way: what was requested, what was written, who waits for which part of it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "index/model/entry.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/disk.hpp"
#include "remote/engine/fetch/limiter.hpp"
#include "remote/engine/fetch/outcome.hpp"
#include "remote/engine/fetch/ranges.hpp"
#include "remote/files/sha256.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// Locks: mutex_ guards the ranges and the waiters; it is held for arithmetic only, and no callback runs under it.
class picture final : public reading, public std::enable_shared_from_this<picture> {
 public:
  struct services {
    const destination& where;
    disk& writers;
    limiter& limit;
    std::uint64_t min_free;  // bytes to leave on the destination's disk by a picture that is larger than was known
    std::atomic<std::uint64_t>& owed;  // bytes that are still to be written, of all pictures on their way
    std::atomic<std::chrono::steady_clock::time_point>& heard;  // when a byte of any last came
    // Called on a disk thread when the last byte is written and the source was asked again, or when it failed. Does not
    // throw.
    std::function<void(const std::shared_ptr<picture>&, const std::optional<failure>&, const attributes& after)> ended;
  };

  // `begun_at`: destination::changes() before `e` was read.
  picture(services s, const entry& e, std::uint64_t begun_at, std::string path, bool demanded);
  ~picture() override;

  const entry& row() const noexcept { return row_; }  // as it was when the fetch began
  std::uint64_t begun_at() const noexcept { return begun_at_; }
  // Its path on the source.
  const std::string& path() const override { return path_; }
  bool demanded() const noexcept { return demanded_; }
  void demand() noexcept { demanded_ = true; }
  // As the index knows it; where it does not, as far as it was learnt.
  std::uint64_t size() const noexcept { return size_; }
  // The source's file as the index is to know it, once it is complete.
  file_facts source_side() const noexcept;

  // Calls `w` once: at once if the bytes are there, else when they are. Demand from now on; `offset` is read next.
  void wait_for(std::uint64_t offset, std::uint64_t length, std::uint64_t id, waiter w);
  // The waiter is not called any more. False if it was, or is about to be.
  bool forget(std::uint64_t id);
  // Answers all who wait, and from now on all who come too late.
  void answer_all(const outcome& o);
  bool awaited();
  // All is written, and it is about to land.
  bool is_complete() const noexcept { return complete_; }
  // When the last byte of it came, or was first asked for; now, when all are here and it is to land; zero while it is
  // queued.
  std::chrono::steady_clock::time_point heard() const noexcept {
    return complete_ ? std::chrono::steady_clock::now() : heard_.load();
  }
  // Hands out no more bytes, and whoever has the file is to read from it no more. True: some were handed out. On a disk
  // thread, or after `complete`.
  bool reject();
  // Fails with `why` as soon as the source has answered what it was asked; those who wait are told at once.
  void give_up(const failure& why);
  // It is over: no more bytes are to be written.
  void settle();
  bool handed_out();
  // Bytes of it were requested, or somebody waits for it: more than its place in the queue.
  bool begun() const noexcept { return demanded_ || begun_; }

  // Prepares another attempt: what is written is kept, the rest is requested again. False after three.
  bool try_again();

  // On a disk thread, as the next, when the archive has answered all that was asked: what is still to be done for it.
  enum class lacks {
    nothing,
    end,  // it is to be read on, to its end
    size  // nobody has told the size that its bytes have: the source is to be looked at
  };
  lacks still_lacks(const attributes& after);
  // Ends the writing: times, mode, owner, digest. Nothing, or why it can't be. `after`: as the archive told it after
  // its last byte; `seen`: as a look at its path showed it, where one was needed.
  std::optional<failure> complete(const attributes& after, const std::optional<attributes>& seen);
  // Brings mode, times and owner to what was wished for since; `now` is its row at this moment. Before it has its name.
  std::optional<failure> catch_up(const entry& now);
  const std::string& sha256() const noexcept { return sha256_; }
  file_facts local_side() const noexcept { return local_; }

  // reading
  next next_range(std::uint32_t at_most) override;
  bool urgent() const override { return demanded_; }
  void arrived(std::uint64_t offset, std::span<const std::byte> bytes) override;
  bool ends(std::uint64_t offset) override;
  void finished(const std::optional<failure>& why, const attributes& after) override;

 private:
  struct waiting {
    std::uint64_t from, to, id;
    waiter call;
  };
  std::uint64_t known_end() const;
  bool is_there(const waiting& w) const;
  next beyond(std::uint32_t at_most);
  void make_file();
  void serve_waiters();
  bool is_confirmed(const std::optional<std::uint64_t>& told) const;
  std::optional<failure> differs(const attributes& after, const std::optional<attributes>& seen);
  std::shared_ptr<const unique_fd> readable();
  void pay(std::uint64_t bytes);
  bytes_ready hand_out(std::shared_ptr<const unique_fd> file);
  static void call(const waiting& one, const outcome& o) noexcept;
  void write(std::uint64_t offset, const std::vector<std::byte>& bytes);
  void digest(std::uint64_t offset, std::span<const std::byte> bytes);
  bool digest_from_disk();
  mode_t mode_of(const entry& wanted) const;
  std::optional<failure> set_attributes(int fd, const entry& wanted);
  failure disk_failure(int problem) const;

  services services_;
  const entry row_;
  const std::uint64_t begun_at_;
  const std::string path_;
  std::atomic<bool> demanded_;
  std::atomic<bool> begun_ = false;
  std::atomic<bool> complete_ = false;
  std::atomic<std::chrono::steady_clock::time_point> heard_ = std::chrono::steady_clock::time_point{};
  std::atomic<bool> broken_ = false;  // the disk refused a write
  std::shared_ptr<unique_fd> file_;   // the disk thread's, published under mutex_

  std::mutex mutex_;
  std::atomic<std::uint64_t> size_;
  ranges requested_, written_;
  // Reading to its end: where the size is not known, or not right, a few ranges at a time beyond what is known; else
  // one byte more than the size is asked for, which is not to come.
  bool seeks_end_ = false, asked_beyond_ = false;
  std::optional<std::uint64_t> end_;  // as the archive told it
  std::uint64_t sought_ = 0;          // to there, bytes beyond were requested
  std::uint64_t found_ = 0;           // of them, came
  std::uint64_t owes_;
  std::uint64_t prefer_ = 0;  // where the last reader wants to go on
  std::vector<waiting> waiters_;
  bool handed_out_ = false;
  const std::shared_ptr<std::atomic<bool>> rejected_ = std::make_shared<std::atomic<bool>>(false);
  std::optional<failure> write_failure_;
  std::optional<outcome> over_;

  remote::sha256 hash_;
  std::uint64_t digested_ = 0;  // bytes from the front
  std::uint64_t extent_ = 0;    // of the file on the disk
  std::string sha256_;
  file_facts local_;
  unsigned attempts_ = 0;
};

}  // namespace ferryfs::remote
