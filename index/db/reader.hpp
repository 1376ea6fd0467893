// Reading the index: connections of their own, lent to one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/db/counters.hpp"
#include "index/db/database.hpp"
#include "index/db/statements/links.hpp"
#include "index/db/statements/list.hpp"
#include "index/db/statements/lost.hpp"
#include "index/db/statements/read.hpp"
#include "index/db/statements/refused.hpp"
#include "index/db/statements/unlisted.hpp"
#include "index/db/transaction.hpp"

namespace ferryfs::index {

// One read-only connection and its prepared statements. Each call sees what was committed when it began.
class reader {
 public:
  explicit reader(const std::string& path);

 private:
  SQLite::Database database_;

 public:
  find_inode by_inode;
  find_child child, hidden_child;
  find_by_origin by_origin;
  find_name name;
  list_children children, hidden_children;
  list_subdirectories subdirectories;
  next_gaps gaps;
  due_failures failures;
  any_changing has_changing;
  some_of_state some;
  count_uncompared uncompared;
  count_unlisted unlisted;
  list_unlisted unlisted_directories;
  find_unlisted why_unlisted;
  get_meta meta;
  sum_lost lost_totals;
  list_lost lost_pictures;
  count_refused refused_names;
  list_refused_names refusals;
  select_list_rows list_rows, directory_list_rows;
  count_in_directory count_in;
  list_sizes sizes;
  worst_failures worst;
  index::last_inode last_inode;
  list_links links;
  find_accepted accepted_target;

 private:
  SQLite::Statement begin_, end_;

 public:
  std::optional<std::string> path(inode ino) { return path_of(name, ino); }
  std::optional<std::string> source_path(inode ino) { return source_path_of(name, ino); }
  // The entry at a path of the view, or nothing.
  std::optional<entry> at(std::string_view path);
  // While it lives, all reads see the index as at the first of them, and take SQLite's locks once; not to be kept for
  // long, as it keeps the WAL from being checkpointed.
  class snapshot {
   public:
    explicit snapshot(reader& of);
    ~snapshot();
    snapshot(const snapshot&) = delete;
    snapshot& operator=(const snapshot&) = delete;

   private:
    reader& of_;
  };
  snapshot freeze() { return snapshot{*this}; }
  index::totals totals() { return read_totals(database_); }
  std::vector<day_total> days() { return read_days(database_); }
  index::totals totals(inode parent) { return read_totals(database_, parent); }
};

// The meta data of any index, also of an older version, which can't be read otherwise. Throws ferryfs::error
// (local) for a newer one.
class about_index {
 public:
  explicit about_index(const std::string& path);

 private:
  SQLite::Database database_;

 public:
  get_meta meta;
};

// The pool. Threads: any.
class readers {
 public:
  // `before` is called before each lease, to commit what is pending.
  explicit readers(std::string path, std::function<void()> before = {})
      : path_(std::move(path)), before_(std::move(before)) {}

  struct giver {
    readers* pool;
    void operator()(reader* r) const noexcept { pool->give_back(r); }
  };
  using lease = std::unique_ptr<reader, giver>;

  // Borrows a connection, opening one if all are out. Throws ferryfs::error (local).
  lease borrow();

 private:
  void give_back(reader* r) noexcept;

  std::string path_;
  std::function<void()> before_;
  mutex mutex_{lock_level::leaf};
  std::vector<std::unique_ptr<reader>> idle_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::index
