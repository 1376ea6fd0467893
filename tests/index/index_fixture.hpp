// An index of a test's own, and what stands in one.
#pragma once

#include <SQLiteCpp/Database.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/update/merge.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {

inline constexpr std::int64_t second = 1'000'000'000;

inline file_facts file_side(std::uint64_t size, std::int64_t mtime = 1000) {
  return {S_IFREG | 0644, size, mtime * second};
}
inline file_facts directory_side(std::int64_t mtime = 1000) { return {S_IFDIR | 0755, 4096, mtime * second}; }
inline file_facts link_side(std::uint64_t size = 6, std::int64_t mtime = 1000) {
  return {S_IFLNK | 0777, size, mtime * second};
}

inline index::directory_entry named(std::string name, file_facts s, std::string target = {}) {
  return {std::move(name), s, std::move(target), {}, {}};
}

class index_fixture {
 public:
  explicit index_fixture(std::chrono::milliseconds longest_pending = std::chrono::milliseconds{50})
      : writer{path, longest_pending} {}
  temp_dir dir{"index"};
  std::string path = (dir / "index.db").string();
  index::writer writer;
  index::readers readers{path};

  // The row at a path, of the view or else hidden.
  std::optional<entry> at(std::string_view where) {
    const auto reader = readers.borrow();
    auto found = reader->at(where);
    if (found) return found;
    const auto slash = where.rfind('/');
    const auto directory = reader->at(slash == std::string_view::npos ? "" : where.substr(0, slash));
    if (directory)
      reader->hidden_children(directory->ino, "", [&](entry&& e) {
        if (e.name == where.substr(slash + 1)) found = std::move(e);
        return !found;
      });
    return found;
  }
  // The row at a path that must be there.
  entry row(std::string_view where) { return at(where).value(); }

  inode insert(entry e) {
    return writer.run([&](index::transaction& t) { return t.insert(e); });
  }
  // A row on the given sides, in the state that they add up to.
  inode insert(inode parent, std::string name, std::optional<file_facts> source, std::optional<file_facts> local = {}) {
    entry e;
    e.parent = parent, e.name = std::move(name), e.source = source, e.local = local, e.day = 20130715;
    e.state = classify(e);
    return insert(std::move(e));
  }
  template <typename Edit>
  void edit(inode ino, Edit&& change) {
    writer.run([&](index::transaction& t) {
      const entry before = t.by_inode(ino).value();
      entry after = before;
      change(after);
      t.update(before, after);
    });
  }

  // One listing of a directory, in one batch.
  std::vector<index::subdirectory> list(index::side w, inode directory, const std::string& where,
                                        const std::vector<index::directory_entry>& names, std::int64_t mark = 1000) {
    index::listing_merge merge{w, directory, where};
    return writer.run([&](index::transaction& t) {
      auto found = merge.batch(t, names);
      merge.finish(t, directory_side(mark), mark);
      return found;
    });
  }
  std::vector<index::subdirectory> list_source(const std::vector<index::directory_entry>& names,
                                               std::int64_t mark = 1000) {
    return list(index::side::source, root_inode, "", names, mark);
  }
  std::vector<index::subdirectory> list_destination(const std::vector<index::directory_entry>& names) {
    return list(index::side::destination, root_inode, "", names, 0);
  }

  std::vector<std::string> names_in(inode directory) {
    std::vector<std::string> names;
    readers.borrow()->children(directory, "", [&](entry&& e) {
      names.push_back(e.name);
      return true;
    });
    return names;
  }
};

// Whether another connection wrote to a database since the last call.
class write_watch {
 public:
  explicit write_watch(const std::string& path) : database_(path, SQLite::OPEN_READONLY), version_(now()) {}
  bool written() { return std::exchange(version_, now()) != version_; }

 private:
  int now() { return database_.execAndGet("PRAGMA data_version").getInt(); }
  SQLite::Database database_;
  int version_;
};

}  // namespace ferryfs::test
