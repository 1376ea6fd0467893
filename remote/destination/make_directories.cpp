#include "remote/destination/make_directories.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "index/base/disk.hpp"
#include "index/base/path.hpp"
#include "index/update/fetch_result.hpp"

namespace ferryfs::remote {
namespace {

// The entry at a path, by the writer's own statements.
std::optional<entry> entry_at(index::transaction& t, const std::string& path) {
  std::optional<entry> e = t.by_inode(root_inode);
  for (std::size_t from = 0; e && from < path.size();) {
    const std::size_t slash = std::min(path.find('/', from), path.size());
    e = t.child(e->ino, std::string_view(path).substr(from, slash - from));
    from = slash + 1;
  }
  return e;
}

}  // namespace

int make_directories(const destination& where, index::reader& rows, const std::string& path,
                     std::vector<std::string>& made) {
  for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    const std::string step = path.substr(0, slash);
    const auto [parent, name] = open_parent(where.root(), step);
    if (!parent) return errno;
    const int problem = where.make_directory(parent.get(), name, [&] {
      const auto row = rows.at(step);
      return row ? row->shown().mode : S_IFDIR | 0700U;
    });
    if (problem == 0) {
      made.push_back(step);
    } else if (problem != EEXIST) {
      return problem;
    } else if (where.is_look_alike(parent.get(), name)) {
      return look_alike_there;
    } else if (slash == std::string::npos) {
      struct stat st {};
      const bool there = disk().fstatat(parent.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
      return there && !S_ISDIR(st.st_mode) ? EEXIST : 0;
    }
    if (slash == std::string::npos) return 0;
  }
}

void record_directories(index::transaction& t, const std::vector<std::string>& made) {
  for (const auto& path : made)
    if (const auto e = entry_at(t, path))
      index::apply_made_entry(t, e->ino, e->source.value_or(file_facts{S_IFDIR | 0700, 4096, 0}));
}

std::optional<std::string> look_alike_text(const destination& where, const std::string& path) {
  const auto other = where.look_alike(path);
  if (!other) return std::nullopt;
  return fmt::format(
      "{}: the destination's file system takes this for the same name as {}, which is there already; rename one of "
      "them on the source, or choose a destination that tells them apart",
      printable(path), printable(*other));
}

}  // namespace ferryfs::remote
