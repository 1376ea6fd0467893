#include "index/db/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <map>

#include "index/base/mutex.hpp"

namespace ferryfs::index {
namespace {

// Without a name, or -1.
int open_nameless(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string name = directory + "/.memory-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

bool try_it(const std::string& directory) {
  constexpr std::size_t size = 4096;
  const int fd = open_nameless(directory);
  if (fd < 0) return true;
  bool can = true;
  if (::ftruncate(fd, size) == 0) {
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
      can = errno == ENOMEM;
    else
      ::munmap(memory, size);
  }
  ::close(fd);
  return can;
}

}  // namespace

bool has_shared_memory(const std::string& path) {
  static ferryfs::mutex mutex{lock_level::leaf};
  static std::map<dev_t, bool> known GUARDED_BY(mutex);
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  struct stat st {};
  if (::stat(directory.c_str(), &st) != 0) return true;
  const lock held{mutex};
  const auto [at, is_new] = known.try_emplace(st.st_dev, true);
  if (is_new) at->second = try_it(directory);
  return at->second;
}

}  // namespace ferryfs::index
