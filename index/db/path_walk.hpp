// The way down a path, name by name, by the rows of one connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "index/model/entry.hpp"

namespace ferryfs::index {

// A name in a directory.
struct location {
  inode directory = root_inode;
  std::string name;
};

// The last name of `path` and the directory that it is in. `step(directory, name)` returns the inode of each directory
// on the way, as an optional; where it returns nothing, so does this.
template <typename Step>
std::optional<location> locate(std::string_view path, Step&& step) {
  location at;
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    const std::optional<inode> next = step(at.directory, path.substr(0, slash));
    if (!next) return std::nullopt;
    at.directory = *next;
    path.remove_prefix(slash + 1);
  }
  at.name = path;
  return at;
}

// The entry at a path of the view, or nothing. `rows` is a reader or a transaction.
template <typename Rows>
std::optional<entry> find_entry(Rows& rows, std::string_view path) {
  auto e = rows.by_inode(root_inode);
  while (e && !path.empty()) {
    const std::size_t slash = path.find('/');
    e = rows.child(e->ino, path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return e;
}

}  // namespace ferryfs::index
