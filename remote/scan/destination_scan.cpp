#include "remote/scan/destination_scan.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cstring>
#include <ctime>
#include <mutex>
#include <vector>

#include "index/merge.hpp"
#include "index/path.hpp"
#include "remote/directory/listing.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t batch_size = 1024;

struct step {
  inode ino;
  std::string path;
  side attributes;
};

void record_root(index::transaction& t, const side& now) {
  const auto before = t.by_inode(root_inode);
  if (!before) return;
  entry after = *before;
  after.local = now;
  if (after.source) after.local->size = after.source->size, after.local->mtime = after.source->mtime;
  t.update(*before, after);
}

std::optional<struct stat> look(const destination& where, const std::string& path) {
  struct stat st {};
  const unique_fd directory = where.open(path, O_PATH | O_DIRECTORY);
  return directory && ::fstat(directory.get(), &st) == 0 ? std::optional(st) : std::nullopt;
}

// A copy that a crash left behind.
void remove_left_over(const destination& where, const std::string& path, const std::string& name) {
  if (!where.is_left_over(name)) return;
  if (const unique_fd directory = where.open(path, O_PATH | O_DIRECTORY)) ::unlinkat(directory.get(), name.c_str(), 0);
}

}  // namespace

std::uint64_t scan_destination(const destination& where, index::writer& index, index::readers& readers,
                               const std::stop_token& stop, directory_marks& marks) {
  marks.begin_pass();
  struct stat st {};
  ::fstat(where.root(), &st);
  const side root = as_listed("", st, "", where.uid(), where.gid()).attributes;
  index.run([&](index::transaction& t) { record_root(t, root); });

  std::uint64_t seen = 0;
  std::vector<step> stack{{root_inode, "", root}};
  while (!stack.empty() && !stop.stop_requested()) {
    step here = std::move(stack.back());
    stack.pop_back();
    // Nobody renames through the mount what is being listed, or has a change of names on the disk alone.
    const std::lock_guard lock{where.names()};
    const auto path = readers.borrow()->path(here.ino);
    if (!path) continue;
    here.path = *path;
    const auto begun = std::time(nullptr);
    const auto before = look(where, here.path);
    if (before && marks.unchanged(here.ino, *before)) {
      readers.borrow()->subdirectories(here.ino, "", [&](entry&& e) {
        if (e.local && S_ISDIR(e.local->mode)) stack.push_back({e.ino, join(here.path, e.name), *e.local});
        return true;
      });
      continue;
    }
    bool read = false;  // then it is asked for names that were not listed
    index::listing_merge merge{index::which::destination, here.ino, here.path,
                               [&](const std::string& name) { return where.look(join(here.path, name), !read); }};
    std::vector<index::listed> batch;
    const auto flush = [&] {
      seen += batch.size();
      for (auto& s : index.run([&](index::transaction& t) { return merge.batch(t, batch); }))
        stack.push_back({s.ino, s.path, s.attributes});
      batch.clear();
    };
    const int problem = list_directory(where.root(), here.path, [&](local_entry&& e) {
      if (here.path.empty() && e.name == own_directory) return;
      if (S_ISREG(e.attributes.st_mode) && is_partial_name(e.name)) return remove_left_over(where, here.path, e.name);
      batch.push_back(as_listed(e.name, e.attributes, e.target, where.uid(), where.gid()));
      if (batch.size() == batch_size) flush();
    });
    if (!batch.empty()) flush();
    read = true;
    if (problem == 0) {
      index.run([&](index::transaction& t) { merge.finish(t, here.attributes, 0); });
      if (before) marks.listed(here.ino, *before, begun);
    } else {
      spdlog::warn("{}: {}; what was known of this directory stays", printable(here.path), std::strerror(problem));
    }
  }
  return seen;
}

}  // namespace ferryfs::remote
