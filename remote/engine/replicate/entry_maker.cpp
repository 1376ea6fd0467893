#include "remote/engine/replicate/entry_maker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "index/base/disk.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/mutex.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/update/fetch_result.hpp"
#include "index/update/source_links.hpp"
#include "remote/destination/make_directories.hpp"

namespace ferryfs::remote {

std::optional<std::string> entry_maker::make(const entry& found) {
  const exclusive_lock held{where_.namespace_lock()};
  std::string path;
  entry gap;
  {
    const auto reader = readers_.borrow();
    auto now = reader->by_inode(found.ino);
    if (!now || !now->is_gap() || now->state == state::skipped) return std::nullopt;  // deleted, or made meanwhile
    gap = *std::move(now);
    path = reader->path(gap.ino).value_or("");
  }
  if (path.empty() || is_refused(gap)) return std::nullopt;
  std::vector<std::string> above;
  const int problem =
      S_ISDIR(gap.source->mode) ? make_directories(where_, *readers_.borrow(), path, above) : make_link(path, gap);
  touch();
  if (problem == 0) {
    index_.post([ino = gap.ino, s = *gap.source](index::transaction& t) { index::apply_made_entry(t, ino, s); });
    return std::nullopt;
  }
  if (problem == EEXIST) {
    if (const auto there = where_.look(path)) {
      index_.post(
          [ino = gap.ino, s = there->attributes](index::transaction& t) { index::apply_found_entry(t, ino, s); });
      return std::nullopt;
    }
  }
  if (auto text = look_alike_text(where_, path)) return text;
  return fmt::format("{}: {}", printable(path), std::strerror(problem));
}

// 0 or errno.
int entry_maker::make_link(const std::string& path, const entry& gap) {
  std::vector<std::string> above;
  const auto slash = path.rfind('/');
  if (slash != std::string::npos)
    if (const int problem = make_directories(where_, *readers_.borrow(), path.substr(0, slash), above)) return problem;
  const auto [directory, name] = open_parent(where_.root(), path);
  if (!directory) return errno;
  return where_.make_link(directory.get(), name, gap.target, to_seconds(gap.source->mtime));
}

// A symbolic link that the disk is not to get. The index learns that, and counts it from then on.
bool entry_maker::is_refused(const entry& gap) {
  if (!gap.is_link()) return false;
  const auto reader = readers_.borrow();
  if (index::link_judge{*reader, links_}.objection(gap).empty()) return false;
  index_.post([ino = gap.ino, rules = links_](index::transaction& t) { index::apply_link_rules(t, ino, rules); });
  return true;
}

void entry_maker::finish_directories() {
  if (!touched_.exchange(false)) return;
  if (contain("times and modes of directories", [&] { set_attributes(); })) touched_ = true;
}

// Everything is here, and filling directories changed their times.
void entry_maker::set_attributes() {
  const auto reader = readers_.borrow();
  std::vector<std::pair<inode, std::string>> stack{{root_inode, ""}};
  while (!stack.empty()) {
    const auto [ino, path] = stack.back();
    stack.pop_back();
    reader->subdirectories(ino, "", [&, at = path](entry&& e) {
      if (!e.source || !e.local || !S_ISDIR(e.local->mode)) return true;
      const std::string below = join(at, e.name);
      const unique_fd fd = where_.open(below, O_RDONLY | O_DIRECTORY);
      struct stat st {};
      const file_facts shown = e.shown();
      const timespec when = to_timespec(where_.times().clamped(shown.mtime));
      const timespec times[] = {when, when};
      if (fd && disk().fstat(fd.get(), &st) == 0 &&
          (st.st_mtim.tv_sec != when.tv_sec || (st.st_mode ^ shown.mode) & 07777)) {
        disk().fchmod(fd.get(), shown.mode & 07777);
        disk().futimens(fd.get(), times);
      }
      stack.emplace_back(e.ino, below);
      return true;
    });
  }
}

}  // namespace ferryfs::remote
