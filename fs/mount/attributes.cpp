// getattr, statfs, readlink and extended attributes: from the index alone.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>

#include "fs/mount/operations.hpp"
#include "fs/mount/reply.hpp"
#include "fs/mount/view.hpp"

namespace ferryfs::fs {

struct stat attributes_of(view& v, const entry& e) {
  const side s = e.shown();
  struct stat st {};
  st.st_ino = e.ino;
  st.st_mode = s.mode & ~(S_ISLNK(s.mode) ? 0U : v.owner.umask);
  st.st_nlink = 1;  // of directories, too: "not known", which keeps find(1) from counting subdirectories by it
  st.st_uid = e.uid.value_or(v.owner.uid);
  st.st_gid = e.gid.value_or(v.owner.gid);
  st.st_size = static_cast<off_t>(S_ISLNK(s.mode) ? e.target.size() : s.size);
  st.st_blksize = 128 << 10;
  // As if all were here: with 0 blocks, tar and cp take a picture that is still away for a hole.
  st.st_blocks = (st.st_size + 511) / 512;
  st.st_mtim = {s.mtime / 1'000'000'000, s.mtime % 1'000'000'000};
  st.st_atim = st.st_ctim = st.st_mtim;
  if (e.changed > s.mtime) st.st_ctim = {e.changed / 1'000'000'000, e.changed % 1'000'000'000};
  v.written.overlay(e.ino, st);
  return st;
}

namespace {

entry entry_of(view& v, fuse_ino_t ino) {
  auto e = v.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  return *std::move(e);
}

constexpr const char* state_attribute = "user.ferryfs.state";
constexpr const char* digest_attribute = "user.ferryfs.sha256";

std::string state_of(view& v, const entry& e) {
  if (e.state == state::conflict) return "conflict";
  if (!e.is_gap()) return "local";
  return v.archive.fetch().is_fetching(e.ino) ? "fetching" : "remote";
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

// Asked with size 0, the length is told; with less than that, ERANGE is.
void reply_attribute(fuse_req_t req, const std::string& value, std::size_t size) {
  if (size == 0) {
    fuse_reply_xattr(req, value.size());
  } else if (size < value.size()) {
    fuse_reply_err(req, ERANGE);
  } else {
    fuse_reply_buf(req, value.data(), value.size());
  }
}

}  // namespace

void op_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.own.holds(ino)) {
      const struct stat st = v.own.attributes(ino);
      fuse_reply_attr(req, &st, 0);
      return;
    }
    const auto e = v.archive.readers().borrow()->by_inode(ino);
    if (e && !is_hidden(e->state)) {
      const struct stat st = attributes_of(v, *e);
      fuse_reply_attr(req, &st, cache_time);
      return;
    }
    // Removed, and still open.
    const auto file = v.opened.find(ino);
    struct stat st {};
    if (!file || ::fstat(file->get(), &st) != 0) throw answer_errno{ENOENT};
    st.st_ino = ino;
    fuse_reply_attr(req, &st, 0);
  });
}

void op_readlink(fuse_req_t req, fuse_ino_t ino) {
  answer(req, [&] {
    const entry e = entry_of(view::of(req), ino);
    if (!e.is_link()) throw answer_errno{EINVAL};
    fuse_reply_readlink(req, e.target.c_str());
  });
}

void op_statfs(fuse_req_t req, fuse_ino_t) {
  answer(req, [&] {
    const struct statvfs s = view::of(req).archive.where().space();
    fuse_reply_statfs(req, &s);
  });
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, std::size_t size) {
  answer(req, [&] {
    view& v = view::of(req);
    const bool asks_state = std::strcmp(name, state_attribute) == 0;
    const bool asks_digest = std::strcmp(name, digest_attribute) == 0;
    if (v.own.holds(ino) || (!asks_state && !asks_digest)) throw answer_errno{ENODATA};
    const entry e = entry_of(v, ino);
    if (asks_state) return reply_attribute(req, state_of(v, e), size);
    if (e.sha256.empty() || e.is_gap()) throw answer_errno{ENODATA};
    reply_attribute(req, hex(e.sha256), size);
  });
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, std::size_t size) {
  answer(req, [&] {
    view& v = view::of(req);
    std::string names;
    if (!v.own.holds(ino)) {
      const entry e = entry_of(v, ino);
      names.append(state_attribute).push_back('\0');
      if (!e.sha256.empty() && !e.is_gap()) names.append(digest_attribute).push_back('\0');
    }
    reply_attribute(req, names, size);
  });
}

}  // namespace ferryfs::fs
