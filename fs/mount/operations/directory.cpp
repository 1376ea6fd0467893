// Reading directories.
#include <sys/stat.h>

#include <vector>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/entry_reply.hpp"
#include "fs/mount/operations/mount_context.hpp"
#include "fs/mount/operations/operations.hpp"

namespace ferryfs::fs {
namespace {

// Fills one reply; `add` returns false when the entry does not fit.
class filler {
 public:
  filler(fuse_req_t req, std::size_t size, bool plus) : req_(req), buffer_(size), plus_(plus) {}

  // Of a name alone, no entry, the kernel makes none: its inode is 0.
  bool add(const listed_name& n) {
    const auto p = parameters_of(n.is_entry ? n.attributes.st.st_ino : 0, n.attributes);
    char* at = buffer_.data() + used_;
    const std::size_t left = buffer_.size() - used_;
    const std::size_t needed = plus_ ? fuse_add_direntry_plus(req_, at, left, n.name, &p, n.next)
                                     : fuse_add_direntry(req_, at, left, n.name, &p.attr, n.next);
    if (needed > left) return false;
    used_ += needed;
    return true;
  }
  void reply() { fuse_reply_buf(req_, buffer_.data(), used_); }

 private:
  fuse_req_t req_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  bool plus_;
};

mode_t type_of(mount_context& v, inode own) {
  if (v.virtual_files.is_directory(own)) return S_IFDIR;
  return v.virtual_files.target(own).empty() ? S_IFREG : S_IFLNK;
}

void read_virtual(fuse_req_t req, mount_context& v, fuse_ino_t ino, std::size_t size, off_t offset, bool plus) {
  filler out{req, size, plus};
  off_t at = 0;
  for (const auto& [name, child] : v.virtual_files.list(ino)) {
    if (at++ < offset) continue;
    listed_name n{name.c_str(), {}, false, at};
    n.attributes.st.st_ino = child;
    n.attributes.st.st_mode = type_of(v, child);
    if (!out.add(n)) break;
  }
  out.reply();
}

void read_listed(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, bool plus) {
  answer(req, [&] {
    filler out{req, size, plus};
    list_names(mount_context::of(req).tree, ino, offset, [&out](const listed_name& n) { return out.add(n); });
    out.reply();
  });
}

// Calls `then` with the request once it is known what is in the directory.
template <typename Then>
void when_listed(fuse_req_t req, mount_context& v, fuse_ino_t ino, Then then) {
  if (is_listed(v.tree, ino)) return then(req);
  const auto parked = v.parked.park(req);
  const auto listed = [=](const std::optional<remote::failure>& why) {
    parked->answer([&](fuse_req_t r) { why ? void(fuse_reply_err(r, errno_of(*why))) : then(r); });
  };
  attempt(parked, [&] { v.tree.archive.when_listed(ino, listed); });
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
    if (v.tree.archive.all_listed()) return void(fuse_reply_err(req, ENOSYS));
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
