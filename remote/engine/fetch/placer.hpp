// The final name of a fetched picture in the destination.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/picture_fetch.hpp"
#include "remote/engine/open_files_query.hpp"

namespace ferryfs::remote {

// The committer's thread alone, which holds the lock of the namespace exclusively at every call.
class placer {
 public:
  placer(const destination& where, index::readers& readers) : where_(where), readers_(readers) {}

  // `open`: the files open in the mount. Set before the first picture.
  void watch(open_files_query open) { open_ = std::move(open); }

  struct placement {
    std::optional<failure> why{};       // why the picture has not got its name; nothing: it has, or is to be carried
    index::writer::job index_update{};  // what the index is to learn before a reader is answered with that
    bool is_cross_device = false;       // its directory is on another file system: it has to be carried there first
  };
  // Gives a picture whose bytes are durable its name. Appends to `made` each directory that had to be made.
  placement place(picture_fetch& p, std::vector<std::string>& made);
  // Lets go of the last directory, which may be moved from now on, or what is mounted there be taken off.
  void close_directory() { directory_.reset(); }

 private:
  int open_directory(inode ino, std::vector<std::string>& made);
  placement replace(picture_fetch& p, const entry& now);
  placement failed_with(int problem, const picture_fetch& p, const char* doing) const;

  const destination& where_;
  index::readers& readers_;
  open_files_query open_;
  inode directory_ino_ = 0;  // of the last picture placed, still open
  unique_fd directory_;
};

// `problem`: an errno.
failure local_failure(const std::string& path, const char* doing, int problem);

}  // namespace ferryfs::remote
