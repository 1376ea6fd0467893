// The path and the attributes of the archive's root on the server, once they are known. Threads: any.
//
// Locks: mutex_ guards all of it; nothing else is locked under it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "index/base/mutex.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote::sftp {

class root_cache {
 public:
  // The server's path of the root; empty before the first connection.
  std::string path() const;
  void set_path(std::string path);

  // A look at the root, or the greeting of a connection, showed these; nothing: it showed none. `answers`: how many
  // looks within the next second need no request of their own. Where the last one has more answers left within its
  // second, that stays.
  void update(const std::optional<attributes>& shown, unsigned answers);
  // As shown within the last second.
  std::optional<attributes> recent() const;
  // The same in place of a look, where an answer is left.
  std::optional<attributes> take_answer();

  // The number of the file system under the root; nothing: the server does not tell it.
  std::optional<std::uint64_t> file_system() const;
  void set_file_system(std::optional<std::uint64_t> id);

 private:
  std::optional<attributes> recent_attributes() const REQUIRES(mutex_);

  mutable mutex mutex_{lock_level::leaf};
  std::string path_ GUARDED_BY(mutex_);
  std::optional<attributes> attributes_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point shown_at_ GUARDED_BY(mutex_);
  unsigned answers_left_ GUARDED_BY(mutex_) = 0;
  std::optional<std::uint64_t> file_system_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::remote::sftp
