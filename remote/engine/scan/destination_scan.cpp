#include "remote/engine/scan/destination_scan.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>
#include <vector>

#include "index/base/clock.hpp"
#include "index/base/disk.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/mutex.hpp"
#include "index/base/path.hpp"
#include "index/update/merge.hpp"
#include "remote/destination/stat_facts.hpp"
#include "remote/files/beneath.hpp"
#include "remote/files/list_directory.hpp"

namespace ferryfs::remote {
namespace {

// Names that are merged while the namespace is locked: some milliseconds' work.
constexpr std::size_t batch_size = 256;
constexpr unsigned most_attempts = 3;

struct step {
  inode ino;
  file_facts attributes;
  unsigned attempts = 0;
};

void record_root(index::transaction& t, const file_facts& now) {
  const auto before = t.by_inode(root_inode);
  if (!before) return;
  entry after = *before;
  after.local = now;
  if (after.source) after.local->size = after.source->size, after.local->mtime = after.source->mtime;
  t.update(*before, after);
  if (before->shown() != after.shown()) t.note({index::change::what::listing, root_inode, {}});
}

bool is_same(int one, int other) {
  struct stat a {
  }, b{};
  return disk().fstat(one, &a) == 0 && disk().fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// One pass over all directories.
//
// The namespace is not locked while a directory is read, so names come, go and change meanwhile: what was read says
// only which names to look at. A batch of them, or the end, is merged with the namespace locked, when the disk and the
// index differ in nothing that was done through the mount; there the merge looks again, in the open directory, at each
// name that is new or another to it, and at each that was not read, before it believes that.
class destination_pass {
 public:
  destination_pass(const destination& where, index::writer& index, index::readers& readers, directory_cache& cache)
      : where_(where), index_(index), readers_(readers), cache_(cache) {}

  std::uint64_t run(const std::stop_token& stop) {
    cache_.begin_pass();
    struct stat st {};
    disk().fstat(where_.root(), &st);
    const file_facts root = entry_of_stat("", st, "", where_.uid(), where_.gid()).attributes;
    index_.run([&](index::transaction& t) { record_root(t, root); });
    std::exception_ptr first;
    stack_.push_back({root_inode, root});
    while (!stack_.empty() && !stop.stop_requested()) {
      const step here = stack_.back();
      stack_.pop_back();
      const auto thrown = contain("scan of the destination", [&] { visit(here); });
      if (!first) first = thrown;
    }
    if (first) std::rethrow_exception(first);
    return seen_;
  }

 private:
  // A directory, open, under the path that it has in the index.
  struct place {
    inode ino;
    std::string path;
    unique_fd directory;
  };

  std::optional<place> open(inode ino) {
    const shared_lock held{where_.namespace_lock()};
    auto path = readers_.borrow()->path(ino);
    if (!path) return std::nullopt;
    auto directory = where_.open(*path, O_RDONLY | O_DIRECTORY);
    if (!directory) warn(*path, errno);
    return directory ? std::optional(place{ino, *std::move(path), std::move(directory)}) : std::nullopt;
  }

  // With the namespace locked.
  bool still_stands(const place& p) {
    const auto path = readers_.borrow()->path(p.ino);
    if (!path || *path != p.path) return false;
    const auto now = where_.open(p.path, O_PATH | O_DIRECTORY);
    return now && is_same(now.get(), p.directory.get());
  }

  static void warn(const std::string& path, int problem) {
    spdlog::warn("{}: {}; what was known of this directory stays", printable(path), std::strerror(problem));
  }

  // An error is no sign that a name is gone.
  std::optional<index::directory_entry> look(const place& p, const std::string& name) const {
    local_entry e;
    if (look_at(p.directory.get(), name, e)) {
      // Of a name that was just read the file system takes no other for it.
      if (read_ && where_.is_look_alike(p.directory.get(), name)) return std::nullopt;
      return listed(e);
    }
    if (errno == ENOENT) return std::nullopt;
    throw std::system_error(errno, std::generic_category(), printable(join(p.path, name)));
  }
  index::directory_entry listed(const local_entry& e) const {
    return entry_of_stat(e.name, e.attributes, e.target, where_.uid(), where_.gid());
  }

  void visit(const step& here) {
    const auto begun = wall_seconds();
    const auto p = open(here.ino);
    struct stat before {};
    if (!p || disk().fstat(p->directory.get(), &before) != 0) return;
    if (cache_.is_unchanged(here.ino, before)) return skip(*p);
    if (merge(*p, here.attributes))
      cache_.remember(here.ino, before, begun);
    else if (moved_ && here.attempts + 1 < most_attempts)
      stack_.push_back({here.ino, here.attributes, here.attempts + 1});
  }

  void skip(const place& p) {
    readers_.borrow()->subdirectories(p.ino, "", [&](entry&& e) {
      if (e.local && S_ISDIR(e.local->mode)) stack_.push_back({e.ino, *e.local});
      return true;
    });
  }

  // A copy that a crash left behind.
  void remove_left_over(const place& p, const std::string& name) const {
    if (where_.is_left_over(name)) disk().unlinkat(p.directory.get(), name.c_str(), 0);
  }

  // False: not to its end.
  bool merge(const place& p, const file_facts& attributes) {
    index::listing_merge into{index::side::destination, p.ino, p.path,
                              [&](const std::string& name) { return look(p, name); }};
    std::vector<index::directory_entry> batch;
    moved_ = read_ = false;
    const auto flush = [&] {
      locked(p, [&] {
        for (auto& s : index_.run([&](index::transaction& t) { return into.batch(t, batch); }))
          stack_.push_back({s.ino, s.attributes});
      });
      seen_ += batch.size();
      batch.clear();
    };
    const int problem = list_directory(p.directory.get(), "", [&](local_entry&& e) {
      if (moved_ || (p.path.empty() && e.name == own_directory)) return;
      if (S_ISREG(e.attributes.st_mode) && is_partial_name(e.name)) return remove_left_over(p, e.name);
      batch.push_back(listed(e));
      if (batch.size() == batch_size) flush();
    });
    if (!batch.empty()) flush();
    read_ = true;
    if (problem != 0) warn(p.path, problem);
    if (problem == 0) locked(p, [&] { index_.run([&](index::transaction& t) { into.finish(t, attributes, 0); }); });
    return problem == 0 && !moved_;
  }

  // With the namespace locked, unless the directory has got another path, or been removed, since it was opened.
  template <typename Step>
  void locked(const place& p, Step&& merge_some) {
    if (moved_) return;
    const exclusive_lock held{where_.namespace_lock()};
    if (still_stands(p))
      merge_some();
    else
      moved_ = true;
  }

  const destination& where_;
  index::writer& index_;
  index::readers& readers_;
  directory_cache& cache_;
  std::vector<step> stack_;
  std::uint64_t seen_ = 0;
  bool moved_ = false;  // the directory that is being merged
  bool read_ = false;   // all its names were
};

}  // namespace

std::uint64_t scan_destination(const destination& where, index::writer& index, index::readers& readers,
                               const std::stop_token& stop, directory_cache& cache) {
  return destination_pass{where, index, readers, cache}.run(stop);
}

}  // namespace ferryfs::remote
