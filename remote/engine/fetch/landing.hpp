// From "all bytes written" to "local": durable, named, indexed, in that order, many pictures at a time. One syncfs
// makes a batch durable, then each gets its final name, then one job tells the index.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "index/base/serial_executor.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/update/fetch_result.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/picture.hpp"
#include "remote/engine/in_use.hpp"

namespace ferryfs::remote {

class landing {
 public:
  // `landed` is called once for each picture by `callbacks`, with nothing or why the picture did not land.
  using told = std::function<void(const std::shared_ptr<picture>&, const std::optional<failure>&)>;
  landing(const destination& where, index::writer& index, index::readers& readers, serial_executor& callbacks,
          told landed);
  // Lands what was added, then stops.
  ~landing();

  // What is open in the mount. Set before the first picture.
  void watch(in_use open) { open_ = std::move(open); }

  // A picture after `complete`. It lands within a second, or at once when `flush` says that no more are coming soon.
  void add(std::shared_ptr<picture> p);
  void flush();

 private:
  void run();
  bool is_full() const;
  void land(std::vector<std::shared_ptr<picture>> batch);
  void name_all(std::span<std::shared_ptr<picture>> all, int problem);
  void name_some(std::span<std::shared_ptr<picture>> some, int problem);
  // Why it has not got its name, if it has not; what the index is to learn before anybody is told of that; whether it
  // has to be carried to another file system first.
  struct naming {
    std::optional<failure> why{};
    index::writer::job learnt{};
    bool across = false;
  };
  naming name(picture& p, std::vector<std::string>& made);
  void land_elsewhere();
  int carry(const picture& p, std::map<dev_t, unique_fd>& systems);
  int open_directory(inode ino, std::vector<std::string>& made);
  void record(std::vector<std::shared_ptr<picture>> batch, std::vector<std::string> made);
  void tell(const std::shared_ptr<picture>& p, std::optional<failure> why);

  const destination& where_;
  index::writer& index_;
  index::readers& readers_;
  serial_executor& callbacks_;
  told landed_;
  in_use open_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<picture>> ready_;
  std::uint64_t ready_bytes_ = 0;
  bool flush_ = false, stop_ = false;
  std::vector<std::shared_ptr<picture>> elsewhere_;  // their directories are on other file systems
  inode directory_ino_ = 0;                          // of the last picture named, still open
  unique_fd directory_;
  std::thread thread_;
};

// Makes `path` and what is missing above it, below `root`; appends to `made` each directory that was made. Each has the
// mode that `rows` knows, and lets its owner in as long as it fills. 0 or errno.
int make_directories(const destination& where, index::reader& rows, const std::string& path,
                     std::vector<std::string>& made);

// Why nothing can be made at `path`, where another name that the file system takes for the same stands in the way.
std::optional<std::string> look_alike_text(const destination& where, const std::string& path);

}  // namespace ferryfs::remote
