// Where a symbolic link leads, found as the kernel would on a disk: component by component, from the directory that the
// link is in, through the links on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/model/entry.hpp"

namespace ferryfs::index {

// The names on the way, of a tree whose top is root_inode.
class link_tree {
 public:
  enum class kind {
    none,      // no such name
    unlisted,  // not known: its directory was never listed
    file,      // anything that leads nowhere
    directory,
    link,
  };
  struct node {
    kind what = kind::none;
    inode ino = 0;       // of a directory
    std::string target;  // of a link
  };
  virtual ~link_tree() = default;
  virtual node child(inode directory, std::string_view name) = 0;
  // Nothing: it has none.
  virtual std::optional<inode> parent(inode directory) = 0;
};

enum class leads {
  inside,   // wherever it ends, also at no name: it stays inside whatever is made there later
  outside,  // out of the tree, or to ferryfs's own directory
  unknown,  // through what is not known, or can't stand on a disk; or by ".." from what may become a directory
  around,   // through more links, or names, than the kernel follows
};

// Where a link in `directory` with this target leads. An absolute target is one from the top if it lies below one of
// `roots`, which are absolute paths that the tree stands under; any other leads outside.
leads follow(link_tree& tree, inode directory, std::string_view target, const std::vector<std::string>& roots);

}  // namespace ferryfs::index
