#include "fs/mount/view/merged_tree.hpp"

namespace ferryfs::fs {

merged_tree::merged_tree(remote::migration& of, ownership who) : archive(of), owner(who) {
  archive.index().on_departure([entries = departed](const entry& e, bool removed) {
    entries->positions.departs(e);
    if (removed) entries->removed.add(e);
  });
  archive.set_open_files(open_files_query());
}

void merged_tree::notice(const std::vector<index::change>& committed) {
  for (const auto& c : committed)
    if (c.what == index::change::what::content) open_pictures.doubt(c.ino);
}

remote::open_files_query merged_tree::open_files_query() {
  return {[this](inode ino) { return open_pictures.is_written(ino) || written.holds(ino); },
          [this](inode ino) { open_pictures.reopen(ino); }, [this] { return open_pictures.written(); },
          [this](inode ino) { return open_pictures.is_open(ino); }};
}

}  // namespace ferryfs::fs
