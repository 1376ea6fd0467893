#include "index/db/transaction.hpp"

#include <algorithm>

#include "index/base/clock.hpp"
#include "index/base/path.hpp"
#include "index/db/path_walk.hpp"
#include "index/model/decision_line.hpp"

namespace ferryfs::index {

transaction::transaction(SQLite::Database& database)
    : by_inode(database),
      child(database),
      hidden_child(database, 1),
      by_origin(database),
      on_source(database, "source"),
      on_destination(database, "local"),
      name(database),
      children(database),
      hidden_children(database, 1),
      of_state(database),
      subdirectories(database),
      inodes(database),
      meta(database),
      put_meta(database),
      add_lost(database),
      remove_lost(database),
      has_lost(database),
      could_not_list(database),
      was_listed(database),
      accept_not_listed(database),
      accepted_not_listed(database),
      has_unlisted(database),
      intend_rename(database),
      forget_rename(database),
      finish_rename(database),
      renaming(database),
      mark_renames_done(database),
      has_marked_renames(database),
      forget_marked_renames(database),
      unwritten_decisions(database),
      forget_decisions(database),
      accepted_target(database),
      accept_link(database),
      accepted_links(database),
      refused(database),
      insert_(database),
      insert_seen_(database),
      update_(database),
      update_facts_(database),
      delete_(database),
      counter_deltas_(database),
      insert_decision_(database) {}

inode transaction::insert(const entry& e) {
  inode ino = 0;
  if (numbers_lost_) {
    entry numbered = e;
    if (e.ino == 0) numbered.ino = last_number_ + 1;
    ino = insert_(numbered);
  } else {
    ino = insert_seen::suffices(e) ? insert_seen_(e) : insert_(e);
  }
  if (ino == 0) return 0;
  last_number_ = std::max(last_number_, ino);
  counter_deltas_.add(e);
  return ino;
}

void transaction::rolled_back() {
  counter_deltas_.forget();
  changes_.clear();
  promised_.clear();
  numbers_lost_ = last_number_ != 0;
}

void transaction::update(const entry& before, const entry& after) {
  if (before == after) return;
  const bool removed = is_hidden(after.state);
  const bool leaves = removed || before.parent != after.parent || before.name != after.name;
  if (leaves && !is_hidden(before.state) && departure_) departure_(before, removed);
  update_facts::suffices(before, after) ? update_facts_(after) : update_(after);
  counter_deltas_.remove(before);
  counter_deltas_.add(after);
}

void transaction::erase(const entry& e) {
  if (!is_hidden(e.state) && departure_) departure_(e, true);
  delete_(e.ino);
  counter_deltas_.remove(e);
}

void transaction::decide(std::string_view verb, std::string_view path, std::string_view other) {
  if (replaying_) return;
  insert_decision_(line_of(verb, path, other, wall_seconds()));
  promise(root_inode);
}

std::optional<std::string> transaction::path(inode ino) { return path_of(name, ino); }
std::optional<entry> transaction::at(std::string_view path) { return find_entry(*this, path); }

namespace {

std::optional<std::string> joined(find_name& step, inode ino, bool on_source) {
  constexpr std::size_t deepest = 2048;  // PATH_MAX / 2: a longer chain is a damaged index
  std::vector<std::string> names;
  while (ino != root_inode) {
    auto row = step(ino);
    if (row && on_source && row->origin != 0) row = step(row->origin);
    if (!row || names.size() == deepest) return std::nullopt;
    names.push_back(std::move(row->name));
    ino = row->parent;
  }
  std::string path;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (!path.empty()) path += '/';
    path += *name;
  }
  return path;
}

}  // namespace

std::optional<std::string> path_of(find_name& step, inode ino) { return joined(step, ino, false); }
std::optional<std::string> source_path_of(find_name& step, inode ino) { return joined(step, ino, true); }

}  // namespace ferryfs::index
