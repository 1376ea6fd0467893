#include "remote/scan/cut_off_renames.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>

#include "index/change_here.hpp"

namespace ferryfs::remote {
namespace {

bool is_done(const destination& where, index::transaction& t, const index::rename_intent& r) {
  const auto path = t.path(r.parent);
  const auto directory = path ? where.open(*path, O_RDONLY | O_DIRECTORY) : unique_fd{};
  struct stat st {};
  return directory && ::fstatat(directory.get(), r.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == r.file;
}

}  // namespace

void settle_renames(const destination& where, index::writer& to) {
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  to.run([&](index::transaction& t) {
    for (const auto& r : t.renaming()) {
      t.forget_rename(r.ino);
      if (!is_done(where, t, r)) continue;
      r.exchanged == 0 ? index::record_renamed(t, r.ino, r.parent, r.name, now)
                       : index::record_exchanged(t, r.ino, r.exchanged, now);
    }
  });
}

}  // namespace ferryfs::remote
