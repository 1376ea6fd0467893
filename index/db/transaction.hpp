// A writer's job reads and changes rows by this, inside the transaction of its group.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "index/db/counters.hpp"
#include "index/db/statements/decisions.hpp"
#include "index/db/statements/links.hpp"
#include "index/db/statements/lost.hpp"
#include "index/db/statements/read.hpp"
#include "index/db/statements/refused.hpp"
#include "index/db/statements/renaming.hpp"
#include "index/db/statements/unlisted.hpp"
#include "index/db/statements/write.hpp"

namespace ferryfs::index {

// Something that the kernel may have cached and that is no longer so. The listener gets it after the commit.
struct change {
  enum class what {
    dentry,   // `name` in directory `ino` appeared, went, or means another inode
    content,  // attributes and bytes of `ino`
    listing,  // attributes and list of directory `ino`
  } what;
  inode ino;
  std::string name;
};

// Lives as long as the writer, and belongs to the thread that runs the job. Every change of a row goes through insert,
// update or erase, which keep the counters. Statements throw SQLite::Exception.
class transaction {
 public:
  explicit transaction(SQLite::Database& database);

  find_inode by_inode;
  find_child child, hidden_child;
  find_by_origin by_origin;
  find_unchanged on_source, on_destination;
  find_name name;
  list_children children, hidden_children;
  list_of_state of_state;
  list_subdirectories subdirectories;
  list_inodes inodes;
  get_meta meta;
  set_meta put_meta;
  insert_lost add_lost;
  delete_lost remove_lost;
  any_lost has_lost;
  insert_unlisted could_not_list;
  delete_unlisted was_listed;
  accept_unlisted accept_not_listed;
  list_accepted_unlisted accepted_not_listed;
  any_unlisted has_unlisted;
  insert_renaming intend_rename;
  delete_renaming forget_rename;
  finish_renaming finish_rename;
  list_renaming renaming;
  mark_done mark_renames_done;
  any_marked has_marked_renames;
  delete_marked forget_marked_renames;
  list_decisions unwritten_decisions;
  delete_decisions forget_decisions;
  find_accepted accepted_target;
  insert_accepted accept_link;
  list_accepted accepted_links;
  refused_names refused;

  // Stores `e` and returns its new inode; 0, and nothing stored, if the name is taken.
  inode insert(const entry& e);
  void update(const entry& before, const entry& after);
  void erase(const entry& e);

  // The path of `ino`, or nothing if a link of the chain is not there.
  std::optional<std::string> path(inode ino);
  // The entry at a path of the view, or nothing.
  std::optional<entry> at(std::string_view path);

  // Whether a picture's local file is open for writing. Its bytes are never given up for the source's then.
  std::function<bool(inode)> is_written = [](inode) { return false; };

  // No scan would find the change of `ino` again: it is to be durable soon, and at once where the entry is synced (see
  // writer::on_promise).
  void promise(inode ino) {
    if (!replaying_) promised_.push_back(ino);
  }
  // A line for the file of decisions (see decision_line.hpp), which is promised too.
  void decide(std::string_view verb, std::string_view path, std::string_view other = {});
  // While it lives, nothing is promised and no line is made: for decisions that are made again from their lines.
  class replay_scope {
   public:
    explicit replay_scope(transaction& t) : t_(t) { t_.replaying_ = true; }
    ~replay_scope() { t_.replaying_ = false; }
    replay_scope(const replay_scope&) = delete;
    replay_scope& operator=(const replay_scope&) = delete;

   private:
    transaction& t_;
  };

  void note(change c) { changes_.push_back(std::move(c)); }

  // Called with each entry that is about to leave its name, or (`removed`) the view: before the commit, on the thread
  // of the job, and again where the job is run twice. Set before the first job.
  using departure = std::function<void(const entry&, bool removed)>;
  void on_departure(departure call) { departure_ = std::move(call); }

 private:
  friend class writer;
  // The kernel may have been given inodes that went with it: from then on they are numbered here, since SQLite would
  // give them out again.
  void rolled_back();

  inode last_number_ = 0;  // the highest that `insert` has returned
  bool numbers_lost_ = false;
  insert_entry insert_;
  insert_seen insert_seen_;
  update_entry update_;
  update_facts update_facts_;
  delete_entry delete_;
  counter_deltas counter_deltas_;
  insert_decision insert_decision_;
  std::vector<change> changes_;
  std::vector<inode> promised_;
  bool replaying_ = false;
  departure departure_;
};

// Walks up from `ino` by `step` (a find_name) and joins the names; nothing if the chain is broken or longer than a
// tree can be.
std::optional<std::string> path_of(find_name& step, inode ino);
// The same, by the names that the source has.
std::optional<std::string> source_path_of(find_name& step, inode ino);

}  // namespace ferryfs::index
