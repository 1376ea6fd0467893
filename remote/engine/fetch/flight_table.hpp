// The fetches in flight: one for each picture, however many readers want it (single flight).
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"
#include "remote/engine/fetch/picture_fetch.hpp"
#include "remote/engine/fetch/rate_meter.hpp"
#include "remote/engine/fetch/read_result.hpp"
#include "remote/engine/open_files_query.hpp"

namespace ferryfs::remote {

// Threads: any. No callback runs under the lock. A picture's own lock may be taken while this one is held.
class flight_table {
 public:
  struct flight {
    std::shared_ptr<picture_fetch> fetch;
    std::vector<fetch_callback> callbacks;
  };

  // To begin a fetch a thread holds this lock, finds none in the table, looks at the index, and adds one. A picture
  // leaves the table after its row is committed: one that is committed meanwhile is seen in the table or in the index.
  ferryfs::mutex& mutex() noexcept RETURN_CAPABILITY(mutex_) { return mutex_; }
  // Nothing where the picture is not in flight.
  flight* find(inode ino) REQUIRES(mutex_);
  flight& add(std::shared_ptr<picture_fetch> p) REQUIRES(mutex_);

  std::shared_ptr<picture_fetch> picture_of(inode ino);  // nothing as well
  bool has_callbacks(inode ino);
  // Pictures that no reader waits for, that nobody has open or asked to be fetched, and of which bytes are missing.
  std::vector<std::shared_ptr<picture_fetch>> unread(const open_files_query& open);

  // The picture needs no more bytes from the source. Returns how many still do. `end_notification` is to follow.
  std::size_t end_transfer() noexcept;
  // The picture was committed, or failed: it leaves the table. Returns the callbacks to call; `end_notification` is to
  // follow.
  std::vector<fetch_callback> remove(const picture_fetch& p, bool committed);
  void end_notification() noexcept;

  // Counts a connection that ended at a request for this picture. True: too many have for the network to be the cause.
  bool count_lost_connection(inode ino);
  static constexpr unsigned most_lost_connections = 3;

  // Fetches that still want bytes from the source; the others only wait to be committed.
  std::size_t transfers();
  // A fetch in flight, for the status.
  struct progress {
    std::string path;
    std::uint64_t size;
    bool demanded;
  };
  std::vector<progress> list(std::size_t at_most);
  bool has_begun(inode ino);
  rate_meter::reading throughput();  // of what was committed

  // Blocks until nothing is in flight, and nobody is to be notified any more.
  void drain();

 private:
  ferryfs::mutex mutex_{lock_level::flight_table};
  condition empty_;
  std::unordered_map<inode, flight> in_flight_ GUARDED_BY(mutex_);
  std::size_t transfers_ GUARDED_BY(mutex_) = 0;
  std::size_t pending_notifications_ GUARDED_BY(mutex_) = 0;
  std::unordered_map<inode, unsigned> lost_connections_ GUARDED_BY(mutex_);
  rate_meter meter_ GUARDED_BY(mutex_){steady_now()};
};

}  // namespace ferryfs::remote
