// What a scan found gone from the source, each name by an own look, until the scan's end decides whether to believe it.
// A disk that is not mounted is an empty directory without any error, and says of each name that it is not there.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"

namespace ferryfs::remote {

struct belief {
  unsigned percent = 10;           // of the pictures that the source had, which may go at once
  bool empty = false;              // an empty source is as it should be
  bool all = false;                // the operator says that all is as it should be, an empty source as well
  bool other_file_system = false;  // stands under the source's root than before: nothing that is gone is believed
};

// Threads: any.
class disappearance {
 public:
  disappearance(index::readers& readers, belief b) : readers_(readers), belief_(b) {}
  // Before the first listing.
  void begin();
  // These are not there any more, with all that lies below them.
  void add(const std::vector<inode>& gone);
  // The root holds no name at all.
  void set_empty();
  bool is_empty();
  // Why it is not believed, one line with the remedy; empty: it is.
  std::string doubt();
  // Has the index forget what is gone, `done` is called behind that. Not where there is a doubt.
  void enter(index::writer& index, std::function<void(std::exception_ptr)> done);

 private:
  std::int64_t pictures_below(index::reader& r, inode ino, std::int64_t enough) const;
  bool is_too_much() const;

  index::readers& readers_;
  const belief belief_;
  std::mutex mutex_;
  bool empty_ = false;
  std::int64_t known_ = 0, lost_ = 0;  // pictures
  std::vector<inode> gone_;            // no more of them once they are too many to be believed
};

}  // namespace ferryfs::remote
