// Gaps that need no bytes from the source: directories and symbolic links are made in the destination. When nothing is
// missing any more, directories get the times and modes that the view shows.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/model/link_rules.hpp"
#include "remote/destination/destination.hpp"

namespace ferryfs::remote {

class entry_maker {
 public:
  entry_maker(const destination& where, index::writer& index, index::readers& readers, index::link_rules links)
      : where_(where), index_(index), readers_(readers), links_(links) {}

  // Makes a directory or a symbolic link, unless it has gone from the index or stands there by now, and tells the
  // index. Returns why it can't be made. Takes the lock of the namespace. The replicator's thread alone.
  std::optional<std::string> make(const entry& found);

  // Something came, or may come, into directories, which changes their times. Threads: any.
  void touch() noexcept { touched_ = true; }
  // Gives all directories their times and modes, if `touch` was called since this last succeeded. The replicator's
  // thread alone.
  void finish_directories();

 private:
  int make_link(const std::string& path, const entry& gap);
  bool is_refused(const entry& gap);
  void set_attributes();

  const destination& where_;
  index::writer& index_;
  index::readers& readers_;
  const index::link_rules links_;
  std::atomic<bool> touched_ = true;
};

}  // namespace ferryfs::remote
