// The directories of the source that a push needs, made where they are not there. Threads: the push's own alone; it
// waits for each answer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index/base/time.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/engine/push/push_queue.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/filter.hpp"

namespace ferryfs::remote {

// Why `e` can't be sent under `target`: on the source that is the name of something which has another name here.
std::optional<failure> name_is_taken(index::reader& r, const entry& e, const std::string& target);

class source_directories {
 public:
  struct dependencies {
    archive& source;
    index::writer& index;
    index::reader& reader;
    const filter& excluded;
    const time_range& times;  // that the destination's files can have
    push_queue& queue;        // waits for a source that is away
  };
  struct directory {
    inode ino;
    std::optional<failure> why;  // nothing can be put into it
    bool excluded = false;
  };

  explicit source_directories(dependencies d) : needs_(d) {}
  // The one that `e` belongs into. Valid until the next call.
  const directory& parent_of(const entry& e);
  // A new walk begins.
  void clear() { chain_.clear(); }

 private:
  using answer = std::pair<std::optional<failure>, attributes>;
  using callback = std::function<void(const std::optional<failure>&, const attributes&)>;

  directory enter(const entry& d);
  answer make(const entry& d, const std::string& target);
  answer ask(const std::function<void(callback)>& request);

  const dependencies needs_;
  std::vector<directory> chain_;  // from the root to the last one
};

}  // namespace ferryfs::remote
