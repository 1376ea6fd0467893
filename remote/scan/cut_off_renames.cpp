#include "remote/scan/cut_off_renames.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "index/change_here.hpp"
#include "index/path.hpp"

namespace ferryfs::remote {
namespace {

// A name on the disk, and what stands there now.
struct place {
  unique_fd directory;
  std::string name;
  struct stat file {};
  bool stands = false;

  // Whether that is the file of an intent.
  bool holds(const index::rename_intent& r) const {
    if (!stands) return false;
    // Until version 6 of the index a rename had the inode number alone.
    return identity_of(directory.get(), name.c_str()) == r.file || (!r.done && file.st_ino == r.file);
  }
};

place place_of(const destination& where, index::transaction& t, inode parent, const std::string& name) {
  place p;
  p.name = name;
  const auto path = t.path(parent);
  if (path) p.directory = where.open(*path, O_RDONLY | O_DIRECTORY);
  p.stands = p.directory && ::fstatat(p.directory.get(), name.c_str(), &p.file, AT_SYMLINK_NOFOLLOW) == 0;
  return p;
}

// 0 or errno.
int unlink_at(const place& p) {
  const int flags = S_ISDIR(p.file.st_mode) ? AT_REMOVEDIR : 0;
  return ::unlinkat(p.directory.get(), p.name.c_str(), flags) == 0 ? 0 : errno;
}

// It goes forward: the kernel had been told of neither outcome.
void finish_removal(const destination& where, index::transaction& t, const index::rename_intent& r, std::int64_t now) {
  const auto at = place_of(where, t, r.parent, r.name);
  if (at.holds(r) && unlink_at(at) != 0) return;
  const auto e = t.by_inode(r.ino);
  if (!e) return;
  e->parent == r.parent && e->name == r.name ? index::record_removed(t, r.ino, now)
                                             : index::record_renamed(t, r.ino, r.parent, r.name, now);
}

enum class again { made, not_needed, refused };

// The index has it; the disk may have lost it.
again make_again(const destination& where, index::transaction& t, const index::rename_intent& r) {
  const auto from = place_of(where, t, r.old_parent, r.old_name);
  if (!from.holds(r)) return again::not_needed;
  if (r.is_removal()) return unlink_at(from) == 0 ? again::made : again::refused;
  const auto to = place_of(where, t, r.parent, r.name);
  const unsigned flags = r.exchanged != 0 && to.stands ? RENAME_EXCHANGE : 0;
  const bool made = to.directory && ::renameat2(from.directory.get(), from.name.c_str(), to.directory.get(),
                                                to.name.c_str(), flags) == 0;
  return made ? again::made : again::refused;
}

// In their order, and once more for those in a directory that first had to get back the name that the index has for it.
void make_again(const destination& where, index::transaction& t, std::vector<index::rename_intent> done) {
  std::vector<index::rename_intent> refused;
  for (bool more = true; more;) {
    more = false;
    refused.clear();
    std::erase_if(done, [&](const auto& r) {
      const auto result = make_again(where, t, r);
      more = more || result == again::made;
      if (result == again::refused) refused.push_back(r);
      return result == again::made;
    });
  }
  for (const auto& r : refused)
    spdlog::warn("{}: was {} before the power went; the disk lost that and now refuses it; do it again",
                 printable(join(t.path(r.old_parent).value_or(""), r.old_name)),
                 r.is_removal() ? "removed" : "renamed");
}

}  // namespace

std::uint64_t identity_of(int directory, const char* name) noexcept {
  struct statx st {};
  constexpr unsigned wanted = STATX_TYPE | STATX_INO | STATX_CTIME | STATX_BTIME;
  if (::statx(directory, name, AT_SYMLINK_NOFOLLOW, wanted, &st) != 0) return 0;
  if (S_ISDIR(st.stx_mode)) return st.stx_ino;
  constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;  // odd: a bijection of 64 bits
  const auto& t = (st.stx_mask & STATX_BTIME) != 0 ? st.stx_btime : st.stx_ctime;
  return st.stx_ino ^ (static_cast<std::uint64_t>(t.tv_sec * 1'000'000'000LL + t.tv_nsec) * spread);
}

void settle_renames(const destination& where, index::writer& to) {
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  to.run([&](index::transaction& t) {
    std::vector<index::rename_intent> done;
    for (const auto& r : t.renaming()) {
      if (r.done) {
        done.push_back(r);
      } else if (r.is_removal()) {
        finish_removal(where, t, r, now);
        t.forget_rename(r.ino);
      } else if (!place_of(where, t, r.parent, r.name).holds(r)) {
        t.forget_rename(r.ino);
      } else {
        r.exchanged == 0 ? index::record_renamed(t, r.ino, r.parent, r.name, now)
                         : index::record_exchanged(t, r.ino, r.exchanged, now);
      }
    }
    make_again(where, t, std::move(done));
  });
}

}  // namespace ferryfs::remote
