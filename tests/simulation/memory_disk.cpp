#include "tests/simulation/memory_disk/node.hpp"

#include <algorithm>
#include <cerrno>

namespace ferryfs::test {

memory_disk::memory_disk(options o) : options_(o) {
  root_ = make(S_IFDIR | 0755);
  root_->links = 1;
}

memory_disk::~memory_disk() = default;

bool memory_disk::refuses(const char* call) {
  const int problem = hook_ ? hook_(call) : 0;
  if (problem != 0) errno = problem;
  return problem != 0;
}

memory_disk::node_pointer memory_disk::make(mode_t mode) {
  auto n = std::make_shared<node>();
  n->number = ++last_number_;
  n->mode = mode;
  n->mtime = n->ctime = n->birth = now();
  std::erase_if(nodes_, [](const auto& w) { return w.expired(); });
  nodes_.push_back(n);
  return n;
}

std::uint64_t memory_disk::used() const {
  std::uint64_t sum = 0;
  for (const auto& w : nodes_)
    if (const auto n = w.lock()) sum += block_size + (n->data.size() + block_size - 1) / block_size * block_size;
  return sum;
}

bool memory_disk::has_room(std::uint64_t more) { return used() + more <= options_.capacity; }

int memory_disk::fstatvfs(int fd, struct statvfs* to) {
  if (refuses("fstatvfs")) return -1;
  if (of(fd) == nullptr) return -1;
  *to = {};
  to->f_bsize = to->f_frsize = block_size;
  to->f_blocks = options_.capacity / block_size;
  to->f_bfree = to->f_bavail = (options_.capacity - std::min(used(), options_.capacity)) / block_size;
  to->f_files = to->f_ffree = to->f_favail = 1 << 20;
  to->f_namemax = 255;
  return 0;
}

}  // namespace ferryfs::test
