// Reading directories. A handle keeps its place by name; the kernel is given ordinals as offsets.
#include <sys/stat.h>

#include <memory>
#include <mutex>
#include <vector>

#include "fs/mount/operations.hpp"
#include "fs/mount/reply.hpp"
#include "fs/mount/view.hpp"

namespace ferryfs::fs {
namespace {

struct directory_handle {
  std::mutex mutex;   // the kernel may read one handle from several threads
  off_t offset = 2;   // of the first entry not given out yet: "." and ".." come first
  std::string after;  // the name of the last entry given out
};

directory_handle& handle_of(const fuse_file_info* fi) { return *reinterpret_cast<directory_handle*>(fi->fh); }

void reply_open(fuse_req_t req, fuse_file_info fi) {
  auto handle = std::make_unique<directory_handle>();
  fi.fh = reinterpret_cast<std::uint64_t>(handle.get());
  // The kernel keeps the list of names until it is told that it changed.
  fi.cache_readdir = 1;
  fi.keep_cache = 1;
  if (fuse_reply_open(req, &fi) == 0) (void)handle.release();
}

// Fills one reply; `add` returns false when the entry does not fit.
class filler {
 public:
  filler(fuse_req_t req, view& v, std::size_t size, bool plus) : req_(req), view_(v), buffer_(size), plus_(plus) {}

  bool add(const entry& e, off_t next) {
    fuse_entry_param p{};
    p.ino = e.ino;
    p.attr = attributes_of(view_, e);
    p.attr_timeout = p.entry_timeout = cache_time;
    return add(e.name.c_str(), p, next);
  }
  // A name alone: with p.ino 0 the kernel makes no entry of it.
  bool add(const char* name, fuse_ino_t ino, mode_t mode, off_t next) {
    fuse_entry_param p{};
    p.attr.st_ino = ino;
    p.attr.st_mode = mode;
    return add(name, p, next);
  }
  void reply() { fuse_reply_buf(req_, buffer_.data(), used_); }

 private:
  bool add(const char* name, const fuse_entry_param& p, off_t next) {
    char* at = buffer_.data() + used_;
    const std::size_t left = buffer_.size() - used_;
    const std::size_t needed = plus_ ? fuse_add_direntry_plus(req_, at, left, name, &p, next)
                                     : fuse_add_direntry(req_, at, left, name, &p.attr, next);
    if (needed > left) return false;
    used_ += needed;
    return true;
  }

  fuse_req_t req_;
  view& view_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  bool plus_;
};

// Finds the place again after a seek: the name before the entry at `offset`.
std::string name_before(index::reader& r, fuse_ino_t ino, off_t offset) {
  std::string name;
  off_t at = 2;
  if (offset > 2)
    r.children(ino, "", [&](entry&& e) {
      name = std::move(e.name);
      return ++at < offset;
    });
  return name;
}

mode_t type_of(view& v, inode own) {
  if (v.own.is_directory(own)) return S_IFDIR;
  return v.own.target(own).empty() ? S_IFREG : S_IFLNK;
}

void read_own(fuse_req_t req, view& v, fuse_ino_t ino, std::size_t size, off_t offset, bool plus) {
  filler out{req, v, size, plus};
  off_t at = 0;
  for (const auto& [name, child] : v.own.list(ino))
    if (at++ >= offset && !out.add(name.c_str(), child, type_of(v, child), at)) break;
  out.reply();
}

// Fills `out` with what follows `offset`.
void fill(filler& out, index::reader& r, directory_handle& handle, fuse_ino_t ino, off_t offset) {
  if (offset < 1 && !out.add(".", ino, S_IFDIR, 1)) return;
  if (offset < 2) {
    const auto self = r.name(ino);
    if (!out.add("..", self && self->parent != 0 ? self->parent : ino, S_IFDIR, 2)) return;
    offset = 2;
  }
  const std::lock_guard lock{handle.mutex};
  std::string after = offset == handle.offset && offset > 2 ? handle.after : name_before(r, ino, offset);
  r.children(ino, after, [&](entry&& e) {
    if (!out.add(e, offset + 1)) return false;
    ++offset;
    after = std::move(e.name);
    return true;
  });
  handle.offset = offset;
  handle.after = std::move(after);
}

void read(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi, bool plus) {
  view& v = view::of(req);
  if (v.own.holds(ino)) return read_own(req, v, ino, size, offset, plus);
  filler out{req, v, size, plus};
  fill(out, *v.archive.readers().borrow(), handle_of(fi), ino, offset);
  // Last of all: once the kernel has the reply it may release the handle, on another thread.
  out.reply();
}

}  // namespace

void op_opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.own.holds(ino)) {
      fuse_reply_open(req, fi);
      return;
    }
    const auto e = v.archive.readers().borrow()->by_inode(ino);
    if (!e) throw answer_errno{ENOENT};
    if (!e->never_listed()) return reply_open(req, *fi);
    const auto parked = v.parked.park(req);
    const auto listed = [parked, open = *fi](const std::optional<remote::failure>& why) {
      parked->answer([&](fuse_req_t r) { why ? void(fuse_reply_err(r, errno_of(*why))) : reply_open(r, open); });
    };
    attempt(parked, [&] { v.archive.when_listed(ino, listed); });
  });
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi) {
  answer(req, [&] { read(req, ino, size, offset, fi, false); });
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi) {
  answer(req, [&] { read(req, ino, size, offset, fi, true); });
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  if (!view::of(req).own.holds(ino)) delete &handle_of(fi);
  fuse_reply_err(req, 0);
}

}  // namespace ferryfs::fs
