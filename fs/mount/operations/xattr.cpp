// Extended attributes: user.ferryfs.*, which the index answers and nobody sets, and those of the destination's own
// file. A missing picture has none, and is fetched before it is given one. user.ferryfs.* is not listed, so that tar,
// cp and rsync do not carry it away.
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <string>
#include <string_view>

#include "fs/mount/change/hydrate.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "index/base/clock.hpp"
#include "index/base/hex.hpp"
#include "index/base/mutex.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::string_view own = "user.ferryfs.";

// Not system.*: the kernel would not go by the ACLs that it holds.
bool is_passed_on(std::string_view name) {
  return name.starts_with("user.") || name.starts_with("trusted.") || name.starts_with("security.");
}

entry entry_of(mount_context& v, fuse_ino_t ino) {
  auto e = v.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  return *std::move(e);
}

std::string own_value(mount_context& v, fuse_ino_t ino, std::string_view name) {
  const entry e = entry_of(v, ino);
  if (name == "state") {
    if (e.state == state::conflict) return "conflict";
    if (!e.is_gap()) return "local";
    return v.archive.fetch().is_fetching(e.ino) ? "fetching" : "remote";
  }
  if (name != "sha256" || e.sha256.empty() || e.is_gap()) throw answer_errno{ENODATA};
  return to_hex(e.sha256);
}

// An entry's file on the disk, of any kind.
struct local_file {
  std::shared_ptr<const unique_fd> file;
  // A name for the calls that take no O_PATH descriptor.
  std::string path() const { return proc_path(file->get()); }
};

// Finds the local file of `ino`; empty where its bytes are not here.
local_file find_local(mount_context& v, fuse_ino_t ino, bool names_held = false) {
  if (auto file = v.open_pictures.find(ino)) return {std::move(file)};
  const entry e = entry_of(v, ino);
  if (!e.local || (!e.is_local() && !e.is_directory())) return {};
  const auto open = [&] {
    const auto path = v.archive.readers().borrow()->path(ino);
    if (!path) throw answer_errno{ENOENT};
    return std::make_shared<unique_fd>(v.archive.where().open(*path, O_PATH | O_NOFOLLOW));
  };
  auto file = open();
  if (!*file && errno == ENOENT && !names_held) {  // it, or a directory above it, gets another name at this moment
    const shared_lock held{v.archive.where().namespace_lock()};
    file = open();
  }
  if (!*file) throw answer_errno{errno};
  return {std::move(file)};
}

// A request of size 0 is answered with the length; one of less than the length with ERANGE.
void reply_value(fuse_req_t req, const std::string& value, std::size_t size) {
  if (size == 0) {
    fuse_reply_xattr(req, value.size());
  } else if (size < value.size()) {
    fuse_reply_err(req, ERANGE);
  } else {
    fuse_reply_buf(req, value.data(), value.size());
  }
}

std::string all_names(const local_file& at) {
  std::string names(XATTR_LIST_MAX, '\0');
  const auto size = ::listxattr(at.path().c_str(), names.data(), names.size());
  if (size < 0) throw answer_errno{errno};
  names.resize(static_cast<std::size_t>(size));
  return names;
}

using change = std::function<int(const char* path)>;

void change_here(mount_context& v, fuse_ino_t ino, const change& apply) {
  const name_change changing{v};
  const local_file at = find_local(v, ino, true);
  if (!at.file) throw answer_errno{EOPNOTSUPP};
  if (apply(at.path().c_str()) != 0) throw answer_errno{errno};
  v.archive.index().run([&](index::transaction& t) { index::apply_ctime(t, ino, wall_nanoseconds()); });
}

void refuse_own_name(const mount_context& v, fuse_ino_t ino, std::string_view name) {
  if (v.virtual_files.holds(ino) || name.starts_with(own)) throw answer_errno{EPERM};
  if (!is_passed_on(name)) throw answer_errno{EOPNOTSUPP};
}

}  // namespace

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, std::size_t size) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    const std::string_view asked = name;
    if (!is_passed_on(asked)) throw answer_errno{EOPNOTSUPP};
    if (v.virtual_files.holds(ino)) throw answer_errno{ENODATA};
    if (asked.starts_with(own)) return reply_value(req, own_value(v, ino, asked.substr(own.size())), size);
    const local_file at = find_local(v, ino);
    if (!at.file) throw answer_errno{ENODATA};
    std::string value(size, '\0');
    const auto length = ::getxattr(at.path().c_str(), name, value.data(), size);
    if (length < 0) throw answer_errno{errno};
    size == 0 ? fuse_reply_xattr(req, static_cast<std::size_t>(length))
              : fuse_reply_buf(req, value.data(), static_cast<std::size_t>(length));
  });
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, std::size_t size) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    std::string names;
    const local_file at = v.virtual_files.holds(ino) ? local_file{} : find_local(v, ino);
    if (at.file) {
      const auto all = all_names(at);
      for (std::size_t from = 0; from < all.size();) {
        const std::string_view name{all.c_str() + from};
        from += name.size() + 1;
        const bool secret = name.starts_with("trusted.") && fuse_req_ctx(req)->uid != 0;
        if (is_passed_on(name) && !name.starts_with(own) && !secret) names.append(name).push_back('\0');
      }
    }
    reply_value(req, names, size);
  });
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, std::size_t size, int flags) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    refuse_own_name(v, ino, name);
    const auto set = [name = std::string(name), value = std::string(value, size), flags](const char* path) {
      return ::setxattr(path, name.c_str(), value.data(), value.size(), flags);
    };
    const auto e = v.archive.readers().borrow()->by_inode(ino);
    if (e && e->is_gap() && e->is_directory()) {
      const name_change changing{v};
      open_destination_directory(v, ino, true);
    }
    if (!e || !e->is_gap() || !S_ISREG(e->shown().mode)) {
      change_here(v, ino, set);
      fuse_reply_err(req, 0);
      return;
    }
    const auto parked = v.parked.park(req);
    attempt(parked, [&] {
      with_hydrated(v, ino, parked, [&v, parked, ino, set] {
        parked->answer([&](fuse_req_t q) {
          answer(q, [&] {
            change_here(v, ino, set);
            fuse_reply_err(q, 0);
          });
        });
      });
    });
  });
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char* name) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    refuse_own_name(v, ino, name);
    if (!find_local(v, ino).file) throw answer_errno{ENODATA};
    change_here(v, ino, [&](const char* path) { return ::removexattr(path, name); });
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
