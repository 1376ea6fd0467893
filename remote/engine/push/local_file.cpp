#include "remote/engine/push/local_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <vector>

#include "index/base/disk.hpp"
#include "remote/files/sha256.hpp"

namespace ferryfs::remote {

int read_local_file(const destination& where, const std::string& path, const std::stop_token& stop, local_file& into) {
  into.file = where.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!into.file || disk().fstat(into.file.get(), &into.as) != 0) return errno;
  if (!S_ISREG(into.as.st_mode)) return EINVAL;
  sha256 hash;
  std::vector<std::byte> buffer(256U << 10);
  ssize_t n = 0;
  while ((n = disk().read(into.file.get(), buffer.data(), buffer.size())) > 0 && !stop.stop_requested())
    hash.add(std::span(buffer).first(static_cast<std::size_t>(n)));
  if (n < 0) return errno;
  if (stop.stop_requested()) return ECANCELED;
  into.sha256 = hash.result();
  return 0;
}

}  // namespace ferryfs::remote
