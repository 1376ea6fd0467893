// From "all bytes written" to "local": durable, named, indexed, in that order, many pictures at a time. One syncfs
// makes a batch durable, then each picture gets its final name, then one job tells the index.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/base/serial_executor.hpp"
#include "index/base/thread.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/picture_fetch.hpp"
#include "remote/engine/fetch/placer.hpp"

namespace ferryfs::remote {

// Locks: mutex_ guards the queue, and is held for that alone; the lock of the namespace is taken without it.
class committer {
 public:
  // Called once for each picture by `callbacks`, with nothing or why the picture is not local.
  using listener = std::function<void(const std::shared_ptr<picture_fetch>&, const std::optional<failure>&)>;
  committer(const destination& where, index::writer& index, index::readers& readers, serial_executor& callbacks,
            listener on_end);
  // Commits what was added, then stops.
  ~committer();

  // `open`: the files open in the mount. Set before the first picture.
  void watch(open_files_query open) { placer_.watch(std::move(open)); }

  // A picture after `complete`. It is committed within a second, or at once when `flush` says that no more are coming
  // soon. Threads: any.
  void add(std::shared_ptr<picture_fetch> p);
  void flush();

 private:
  using pictures = std::span<std::shared_ptr<picture_fetch>>;
  void run();
  bool is_full() const REQUIRES(mutex_);
  void commit_batch(std::vector<std::shared_ptr<picture_fetch>> batch);
  void commit_cross_device();
  int carry(const picture_fetch& p, std::map<dev_t, unique_fd>& systems);
  void place_all(pictures all, int problem);
  void place_some(pictures some, int problem);
  void record(std::vector<std::shared_ptr<picture_fetch>> batch, std::vector<std::string> made);
  void end(const std::shared_ptr<picture_fetch>& p, std::optional<failure> why);

  const destination& where_;
  index::writer& index_;
  index::readers& readers_;
  serial_executor& callbacks_;
  const listener on_end_;
  mutex mutex_{lock_level::leaf};
  condition wake_;
  std::vector<std::shared_ptr<picture_fetch>> ready_ GUARDED_BY(mutex_);
  std::uint64_t ready_bytes_ GUARDED_BY(mutex_) = 0;
  bool flush_ GUARDED_BY(mutex_) = false, stop_ GUARDED_BY(mutex_) = false;
  // Pictures whose directories are on other file systems. For the committer's thread alone, as the next.
  std::vector<std::shared_ptr<picture_fetch>> cross_device_;
  placer placer_;
  thread thread_;
};

}  // namespace ferryfs::remote
