#include "remote/scan/cut_off_renames.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "index/change_here.hpp"

namespace ferryfs::remote {
namespace {

// The directory that the intended name is in, and what stands there now.
struct target {
  unique_fd directory;
  std::optional<struct stat> file;
};

target target_of(const destination& where, index::transaction& t, const index::rename_intent& r) {
  target p;
  const auto path = t.path(r.parent);
  if (path) p.directory = where.open(*path, O_RDONLY | O_DIRECTORY);
  struct stat st {};
  if (p.directory && ::fstatat(p.directory.get(), r.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) p.file = st;
  return p;
}

// It goes forward: the kernel had been told of neither outcome.
void finish_removal(const destination& where, index::transaction& t, const index::rename_intent& r, std::int64_t now) {
  const auto at = target_of(where, t, r);
  if (at.file && identity_of(*at.file) == r.file &&
      ::unlinkat(at.directory.get(), r.name.c_str(), S_ISDIR(at.file->st_mode) ? AT_REMOVEDIR : 0) != 0)
    return;
  const auto e = t.by_inode(r.ino);
  if (!e) return;
  e->parent == r.parent && e->name == r.name ? index::record_removed(t, r.ino, now)
                                             : index::record_renamed(t, r.ino, r.parent, r.name, now);
}

}  // namespace

std::uint64_t identity_of(const struct stat& st) noexcept {
  constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;  // odd: a bijection of 64 bits
  const auto ctime = static_cast<std::uint64_t>(st.st_ctim.tv_sec * 1'000'000'000LL + st.st_ctim.tv_nsec);
  return st.st_ino ^ (ctime * spread);
}

void settle_renames(const destination& where, index::writer& to) {
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  to.run([&](index::transaction& t) {
    for (const auto& r : t.renaming()) {
      t.forget_rename(r.ino);
      if (r.is_removal()) {
        finish_removal(where, t, r, now);
        continue;
      }
      const auto at = target_of(where, t, r);
      if (!at.file || at.file->st_ino != r.file) continue;
      r.exchanged == 0 ? index::record_renamed(t, r.ino, r.parent, r.name, now)
                       : index::record_exchanged(t, r.ino, r.exchanged, now);
    }
  });
}

}  // namespace ferryfs::remote
