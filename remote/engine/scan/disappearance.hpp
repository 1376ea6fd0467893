// The names that a scan found gone from the source, each by a request of its own, until the scan's end decides whether
// to believe that. A disk that is not mounted is an empty directory without any error, and says of each name that it is
// not there. Pure; its owner's mutex guards it.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
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

class disappearance {
 public:
  explicit disappearance(belief b) : belief_(b) {}
  // Before the first listing: how many pictures the source had.
  void begin(std::int64_t known) { known_ = known; }
  // This is not there any more, with the `pictures` at and below it.
  void add(inode gone, std::int64_t pictures);
  // How many pictures need be counted of one name that is gone; 0: none, as all is believed.
  std::int64_t most_counted() const;
  // So many are gone that they are not believed: no more need be added.
  bool is_too_much() const;
  // The root holds no name at all.
  void set_empty() { empty_ = true; }
  bool is_empty() const { return empty_; }
  // Why it is not believed, one line with the remedy; empty: it is.
  std::string doubt() const;
  // The names that are gone, for remove_from_source. Not where there is a doubt.
  std::vector<inode> take() { return std::move(gone_); }

 private:
  const belief belief_;
  bool empty_ = false;
  std::int64_t known_ = 0, lost_ = 0;  // pictures
  std::vector<inode> gone_;            // no more of them once they are too many to be believed
};

// The pictures that the source had at and below an entry; no more than `enough` are counted.
std::int64_t source_pictures_below(index::reader& r, inode ino, std::int64_t enough);

// Has the index forget these names, some at a time, then calls `done` on the writer's thread.
void remove_from_source(index::writer& index, std::vector<inode> gone, std::function<void(std::exception_ptr)> done);

}  // namespace ferryfs::remote
