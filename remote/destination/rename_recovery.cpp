#include "remote/destination/rename_recovery.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "index/base/clock.hpp"
#include "index/base/disk.hpp"
#include "index/base/path.hpp"
#include "index/update/local_change.hpp"
#include "remote/files/rename.hpp"
#include "remote/files/split_path.hpp"

namespace ferryfs::remote {
namespace {

using index::rename_intent;

// As version 5 of the index had it of what is to be removed.
std::uint64_t old_identity_of(const struct stat& st) {
  constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;
  const auto ctime = static_cast<std::uint64_t>(st.st_ctim.tv_sec * 1'000'000'000LL + st.st_ctim.tv_nsec);
  return st.st_ino ^ (ctime * spread);
}

identity way_of(const rename_intent& r) { return r.is_removal() ? identity::exact : identity::kept_by_rename; }

// A name on the disk, and what stands there now.
struct place {
  unique_fd directory;
  std::string name;
  struct stat file {};
  bool stands = false;

  std::uint64_t file_as(identity how) const { return stands ? identity_of(directory.get(), name.c_str(), how) : 0; }
  // Whether that is the file of an intent.
  bool holds(const rename_intent& r) const {
    if (!stands) return false;
    // Until version 6 of the index a rename had the inode number alone, and a removal the ctime.
    return file_as(way_of(r)) == r.file ||
           (r.old_path.empty() && (file.st_ino == r.file || old_identity_of(file) == r.file));
  }
};

place place_at(const destination& where, const std::string& path) {
  place p;
  std::string above;
  std::tie(above, p.name) = split_path(path);
  p.directory = where.open(above, O_RDONLY | O_DIRECTORY);
  p.stands = p.directory && !p.name.empty() &&
             disk().fstatat(p.directory.get(), p.name.c_str(), &p.file, AT_SYMLINK_NOFOLLOW) == 0;
  return p;
}

place place_of(const destination& where, index::transaction& t, inode parent, const std::string& name) {
  const auto path = t.path(parent);
  return path ? place_at(where, join(*path, name)) : place{};
}

// 0 or errno.
int unlink_at(const place& p) {
  const int flags = S_ISDIR(p.file.st_mode) ? AT_REMOVEDIR : 0;
  return disk().unlinkat(p.directory.get(), p.name.c_str(), flags) == 0 ? 0 : errno;
}

// It goes forward: the kernel had been answered with neither outcome.
void finish_removal(const destination& where, index::transaction& t, const rename_intent& r, std::int64_t now) {
  const auto at = place_of(where, t, r.parent, r.name);
  if (at.holds(r) && unlink_at(at) != 0) return;
  const auto e = t.by_inode(r.ino);
  if (!e) return;
  e->parent == r.parent && e->name == r.name ? index::apply_removal(t, r.ino, now)
                                             : index::apply_rename(t, r.ino, r.parent, r.name, now);
}

// Brings the disk to what the index holds as done. The index tells where a file belongs now; its intents, by which
// names it may still be found.
class redo {
 public:
  redo(const destination& where, index::transaction& t, std::vector<rename_intent> done)
      : where_(where), t_(t), done_(std::move(done)) {}

  // Until nothing more comes of it: a file's directory may first have to get its own name back.
  void run() {
    std::vector<std::string> refused;
    for (bool more = true; more;) {
      more = false;
      refused.clear();
      for (const auto& r : done_) {
        const result now = r.is_removal() ? remove(r) : move(r);
        more = more || now == result::made;
        if (now == result::refused) refused.push_back(r.old_path);
      }
    }
    for (const auto& r : done_)
      if (!r.is_removal() && r.exchanged == 0 && r.replaced != 0) remove_replaced(r);
    for (const auto& path : refused)
      spdlog::warn(
          "{}: was renamed or removed right before a power cut; the disk lost that and now refuses it; do it again",
          printable(path));
  }

 private:
  enum class result { made, not_needed, refused };

  std::vector<place> places_of(const rename_intent& r) {
    std::vector<place> all;
    all.push_back(place_of(where_, t_, r.parent, r.name));
    all.push_back(place_of(where_, t_, r.old_parent, split_path(r.old_path).second));
    all.push_back(place_at(where_, r.old_path));
    all.push_back(place_at(where_, r.new_path));
    return all;
  }

  // By its number alone nothing is removed.
  result remove(const rename_intent& r) {
    for (const place& p : places_of(r))
      if (p.holds(r) && (r.is_removal() || p.file_as(identity::exact) == r.file))
        return unlink_at(p) == 0 ? result::made : result::refused;
    return result::not_needed;
  }

  result move(const rename_intent& r) {
    const auto e = t_.by_inode(r.ino);
    if (!e || is_hidden(e->state)) return remove(r);
    const place to = place_of(where_, t_, e->parent, e->name);
    if (to.holds(r)) return result::not_needed;
    for (const auto& other : done_) {
      if (other.ino != r.ino || other.is_removal()) continue;
      for (const place& from : places_of(other))
        if (from.holds(r)) return to.directory && rename(from, to, r.ino) ? result::made : result::refused;
    }
    return result::not_needed;
  }

  bool rename(const place& from, const place& to, inode ino) {
    if (!to.stands)
      return rename_no_replace(from.directory.get(), from.name, to.directory.get(), to.name, no_links::look_first) == 0;
    const auto there = to.file_as(identity::exact);
    const auto over = std::find_if(done_.begin(), done_.end(), [&](const auto& r) {
      return r.ino == ino && !r.is_removal() && r.replaced != 0 && r.replaced == there;
    });
    return over != done_.end() && disk().renameat2(from.directory.get(), from.name.c_str(), to.directory.get(),
                                                   to.name.c_str(), over->exchanged == 0 ? 0 : RENAME_EXCHANGE) == 0;
  }

  // The file that had been renamed over it went on to another name.
  void remove_replaced(const rename_intent& r) {
    const auto e = t_.by_inode(r.ino);
    if (e && !is_hidden(e->state) && !place_of(where_, t_, e->parent, e->name).holds(r)) return;
    for (const place& p : {place_of(where_, t_, r.parent, r.name), place_at(where_, r.new_path)})
      if (p.stands && p.file_as(identity::exact) == r.replaced) return void(unlink_at(p));
  }

  const destination& where_;
  index::transaction& t_;
  const std::vector<rename_intent> done_;
};

}  // namespace

std::uint64_t identity_of(int directory, const char* name, identity how) noexcept {
  struct statx st {};
  constexpr unsigned wanted = STATX_INO | STATX_CTIME | STATX_BTIME;
  if (disk().statx(directory, name, AT_SYMLINK_NOFOLLOW, wanted, &st) != 0) return 0;
  const bool has_birth = (st.stx_mask & STATX_BTIME) != 0;
  if (!has_birth && how == identity::kept_by_rename) return st.stx_ino;
  constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;  // odd: a bijection of 64 bits
  const auto& t = has_birth ? st.stx_btime : st.stx_ctime;
  return st.stx_ino ^ (static_cast<std::uint64_t>(t.tv_sec * 1'000'000'000LL + t.tv_nsec) * spread);
}

void recover_renames(const destination& where, index::writer& to) {
  const auto now = wall_nanoseconds();
  to.run([&](index::transaction& t) {
    std::vector<rename_intent> done, begun;
    for (auto& r : t.renaming()) (r.done ? done : begun).push_back(std::move(r));
    redo{where, t, std::move(done)}.run();
    for (const auto& r : begun) {
      if (r.is_removal()) {
        finish_removal(where, t, r, now);
        t.forget_rename(r.ino);
      } else if (!place_of(where, t, r.parent, r.name).holds(r)) {
        t.forget_rename(r.ino);
      } else {
        r.exchanged == 0 ? index::apply_rename(t, r.ino, r.parent, r.name, now)
                         : index::apply_exchange(t, r.ino, r.exchanged, now);
      }
    }
  });
}

}  // namespace ferryfs::remote
