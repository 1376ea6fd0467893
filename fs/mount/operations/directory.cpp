// Reading directories.
#include <sys/stat.h>

#include <string>
#include <vector>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/view/mount_context.hpp"

namespace ferryfs::fs {
namespace {

constexpr off_t dot = readdir_cursors::dot, dot_dot = readdir_cursors::dot_dot;

// Fills one reply; `add` returns false when the entry does not fit.
class filler {
 public:
  filler(fuse_req_t req, mount_context& v, std::size_t size, bool plus)
      : req_(req), view_(v), generation_(v.written.generation()), buffer_(size), plus_(plus) {}

  bool add(const entry& e, off_t offset) { return add(e.name.c_str(), parameters_of(view_, generation_, e), offset); }
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
  mount_context& view_;
  const std::uint64_t generation_;  // of written_files, before any row is read
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  bool plus_;
};

// The name of the entry at `offset`, which may have been removed since it was given out.
std::string name_at(mount_context& v, index::reader& r, inode directory, off_t offset) {
  if (offset <= dot_dot) return "";
  if (auto name = v.departed->positions.find(directory, offset)) return *std::move(name);
  auto e = r.by_inode(readdir_cursors::inode_at(offset));
  if (!e || e->parent != directory) throw answer_errno{ESTALE};
  return std::move(e->name);
}

mode_t type_of(mount_context& v, inode own) {
  if (v.virtual_files.is_directory(own)) return S_IFDIR;
  return v.virtual_files.target(own).empty() ? S_IFREG : S_IFLNK;
}

void read_virtual(fuse_req_t req, mount_context& v, fuse_ino_t ino, std::size_t size, off_t offset, bool plus) {
  filler out{req, v, size, plus};
  off_t at = 0;
  for (const auto& [name, child] : v.virtual_files.list(ino))
    if (at++ >= offset && !out.add(name.c_str(), child, type_of(v, child), at)) break;
  out.reply();
}

// Fills `out` with what follows `offset`.
void fill(filler& out, mount_context& v, inode directory, off_t offset) {
  const auto reader = v.archive.readers().borrow();
  if (offset < dot && !out.add(".", directory, S_IFDIR, dot)) return;
  if (offset < dot_dot) {
    const auto self = reader->name(directory);
    if (!out.add("..", self && self->parent != 0 ? self->parent : directory, S_IFDIR, dot_dot)) return;
  }
  std::string last;
  off_t last_offset = 0;
  std::optional<bool> remembered;  // asked once the rows are being read: a name is remembered before it leaves them
  reader->children(directory, name_at(v, *reader, directory, offset), [&](entry&& e) {
    if (!remembered) remembered = v.departed->positions.any_in(directory);
    const off_t at = *remembered ? v.departed->positions.offset_of(e) : readdir_cursors::of(e.ino);
    if (!out.add(e, at)) return false;
    last = std::move(e.name), last_offset = at;
    return true;
  });
  // A scan may find the name gone from both sides.
  if (last_offset != 0) v.departed->positions.remember(directory, last_offset, last);
}

void read_listed(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, bool plus) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    filler out{req, v, size, plus};
    fill(out, v, ino, offset);
    out.reply();
  });
}

// Calls `then` with the request once it is known what is in the directory.
template <typename Then>
void when_listed(fuse_req_t req, mount_context& v, fuse_ino_t ino, Then then) {
  const auto e = v.archive.readers().borrow()->by_inode(ino);
  if (!e) throw answer_errno{ENOENT};
  if (!e->never_listed()) return then(req);
  const auto parked = v.parked.park(req);
  const auto listed = [=](const std::optional<remote::failure>& why) {
    parked->answer([&](fuse_req_t r) { why ? void(fuse_reply_err(r, errno_of(*why))) : then(r); });
  };
  attempt(parked, [&] { v.archive.when_listed(ino, listed); });
}

void read(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, bool plus) {
  mount_context& v = mount_context::of(req);
  if (v.virtual_files.holds(ino)) return read_virtual(req, v, ino, size, offset, plus);
  when_listed(req, v, ino, [=](fuse_req_t r) { read_listed(r, ino, size, offset, plus); });
}

}  // namespace

// ENOSYS means "needless": from then on the kernel opens directories by itself (as of Linux 5.1), and keeps the list of
// names until it is notified that it changed. As long as directories are without a listing, it is waited for here:
// while READDIR waits the kernel lets nobody else change the directory, or look up a new name.
void op_opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.archive.all_listed()) return void(fuse_reply_err(req, ENOSYS));
    if (v.virtual_files.holds(ino)) return void(fuse_reply_open(req, fi));
    fi->cache_readdir = fi->keep_cache = 1;
    when_listed(req, v, ino, [f = *fi](fuse_req_t r) { fuse_reply_open(r, &f); });
  });
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info*) {
  answer(req, [&] { read(req, ino, size, offset, false); });
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info*) {
  answer(req, [&] { read(req, ino, size, offset, true); });
}

}  // namespace ferryfs::fs
