#include "fs/mount/kernel/passthrough.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>

#include "fs/mount/kernel/reply.hpp"

namespace ferryfs::fs {
namespace {

#if FUSE_USE_VERSION >= 317
bool asked(fuse_conn_info* conn) { return fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH); }
std::int32_t open_backing(fuse_req_t req, int fd) { return fuse_passthrough_open(req, fd); }
void close_backing(fuse_req_t req, std::int32_t id) { fuse_passthrough_close(req, id); }
void set_backing(fuse_file_info* fi, std::int32_t id) { fi->backing_id = id; }
#else  // a libfuse that does not know it
bool asked(fuse_conn_info*) { return false; }
std::int32_t open_backing(fuse_req_t, int) { return 0; }
void close_backing(fuse_req_t, std::int32_t) {}
void set_backing(fuse_file_info*, std::int32_t) {}
#endif

}  // namespace

void passthrough_table::ask(fuse_conn_info* conn) {
  const lock held{mutex_};
  works_ = !forbidden_ && asked(conn);
  spdlog::debug("passthrough: {}", works_ ? "on" : "off");
}

bool passthrough_table::works() {
  const lock held{mutex_};
  return works_;
}

passthrough_table::use passthrough_table::first(fuse_req_t req, const unique_fd* file, bool cached) {
  struct stat st {};
  if (!works_ || cached || file == nullptr || ::fstat(file->get(), &st) != 0) return {};
  errno = 0;
  const auto id = open_backing(req, file->get());
  if (id > 0) return {0, id, st.st_dev, st.st_ino};
  // Not allowed, or the destination is an overlay: no other file will do better.
  if (errno == EPERM || errno == ELOOP) works_ = false;
  return {};
}

bool passthrough_table::is_of(const use& u, const unique_fd* file) {
  struct stat st {};
  return file != nullptr && ::fstat(file->get(), &st) == 0 && st.st_dev == u.device && st.st_ino == u.number;
}

bool passthrough_table::passes_another(inode ino, const unique_fd& file) {
  const lock held{mutex_};
  const auto at = uses_.find(ino);
  return at != uses_.end() && at->second.backing != 0 && !is_of(at->second, &file);
}

bool passthrough_table::enter(fuse_req_t req, inode ino, const unique_fd* file, bool seen, fuse_file_info* fi) {
  const lock held{mutex_};
  auto at = uses_.find(ino);
  // Not each file system takes O_DIRECT, or unaligned; cached, everyone may ask for it.
  if (at == uses_.end()) at = uses_.emplace(ino, first(req, file, seen || (fi->flags & O_DIRECT) != 0)).first;
  use& u = at->second;
  if (u.backing == 0) {
    ++u.count;
    fi->keep_cache = 1;  // the kernel is notified when the content becomes another
    return false;
  }
  const bool same = is_of(u, file);
  if (!same && (fi->flags & O_ACCMODE) == O_RDWR) throw answer_errno{EBUSY};
  ++u.count;
  set_backing(fi, u.backing);
  fi->direct_io = same && !seen ? 0 : 1;  // a mapping is passed through all the same
  return true;
}

void passthrough_table::leave(fuse_req_t req, inode ino) {
  const lock held{mutex_};
  const auto at = uses_.find(ino);
  if (at == uses_.end() || --at->second.count > 0) return;
  if (at->second.backing != 0 && req != nullptr) close_backing(req, at->second.backing);
  uses_.erase(at);
}

}  // namespace ferryfs::fs
