#include "index/query/set.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace ferryfs::index {
namespace {

constexpr std::array<std::string_view, 10> words{"source",   "destination", "common",  "missing", "new",
                                                 "conflict", "deleted",     "skipped", "failed",  "refused"};

std::optional<state> state_of(set s) noexcept {
  constexpr auto first = static_cast<int>(set::common);
  if (s < set::common) return std::nullopt;
  return all_states.at(static_cast<std::size_t>(static_cast<int>(s) - first));
}

bool belongs(set s, state st, bool on_source) noexcept {
  switch (s) {
    case set::source:
      return on_source;
    case set::destination:
      return st == state::common || st == state::added || st == state::conflict;
    default:
      return counted_as(st) == *state_of(s);
  }
}

// The rows of one directory in the order of their names, some at a time.
class row_cursor {
 public:
  row_cursor(reader& r, inode directory, bool hidden, std::optional<state> of, bool directories_only)
      : statement_(directories_only ? r.directory_list_rows : r.list_rows),
        directory_(directory),
        hidden_(hidden),
        of_(of) {
    fill("");
  }
  list_row* front() { return at_ < count_ ? &rows_[at_] : nullptr; }
  void pop() {
    if (++at_ == count_ && count_ == some) fill(std::string(rows_[count_ - 1].name));
  }

 private:
  static constexpr std::size_t some = 256;
  void fill(const std::string& after) {
    count_ = statement_(directory_, hidden_, after, of_, some, rows_);
    at_ = 0;
  }
  select_list_rows& statement_;
  inode directory_;
  bool hidden_;
  std::optional<state> of_;
  std::vector<list_row> rows_;
  std::size_t count_ = 0, at_ = 0;
};

// Directories of one name: one of the view, and on the source others that were renamed or deleted here.
struct same_name {
  std::string key;  // the name as if it ended in '/', so that whole paths come in order
  std::vector<inode> directories;
};

class walker {
 public:
  walker(reader& r, set which, const on_line& each) : reader_(r), set_(which), only_(state_of(which)), each_(each) {}

  // Visits what is below these directories, which all have the path `path`. False: `each` asked to stop.
  bool below(const std::vector<inode>& directories, const std::string& path) {
    auto rows = row_cursors(directories);
    // Directories wait until all names that sort before "NAME/" have come. Those are NAME followed by less than '/', so
    // each that waits begins with the one that waits below it, and they are few.
    std::vector<same_name> waiting;
    std::string here = path.empty() ? "" : path + '/';
    const std::size_t prefix = here.size();
    while (true) {
      row_cursor* first = least(rows);
      while (!waiting.empty() && (first == nullptr || waiting.back().key < first->front()->name)) {
        const same_name next = std::move(waiting.back());
        waiting.pop_back();
        here.resize(prefix);
        here.append(next.key, 0, next.key.size() - 1);
        if (!below(next.directories, here)) return false;
      }
      if (first == nullptr) return true;
      here.resize(prefix);
      if (!visit(*first->front(), here, waiting)) return false;
      first->pop();
    }
  }

 private:
  std::vector<row_cursor> row_cursors(const std::vector<inode>& directories) {
    std::vector<row_cursor> rows;
    for (const inode d : directories) {
      rows.emplace_back(reader_, d, false, only_, only_ && reader_.count_in(d, *only_) == 0);
      if (set_ == set::source || set_ == set::deleted || set_ == set::conflict)
        rows.emplace_back(reader_, d, true, std::nullopt, false);
    }
    return rows;
  }

  static row_cursor* least(std::vector<row_cursor>& rows) {
    row_cursor* first = nullptr;
    for (auto& s : rows)
      if (s.front() != nullptr && (first == nullptr || s.front()->name < first->front()->name)) first = &s;
    return first;
  }

  // `here` is the directory's path and a '/'.
  bool visit(list_row& b, std::string& here, std::vector<same_name>& waiting) {
    if (set_ == set::source && b.renamed) return true;  // comes by its hidden row
    if (b.state == state::moved && !follow(b)) return true;
    if (set_ == set::source && b.on_source ? b.source_is_directory : b.directory) {
      std::string key = b.name + '/';
      if (waiting.empty() || waiting.back().key != key) waiting.push_back({std::move(key), {}});
      waiting.back().directories.push_back(b.ino);
      return true;
    }
    if (!belongs(set_, b.state, b.on_source)) return true;
    const bool here_counts = set_ == set::destination || set_ == set::added || !b.on_source;
    here += b.name;
    return each_(here, {b.ino, here_counts ? b.local_size : b.source_size});
  }

  // From the row that keeps a name of the source to the entry that had it. False: it does not count in this set.
  bool follow(list_row& b) {
    const auto moved = set_ == set::source ? reader_.by_origin(b.ino) : std::nullopt;
    if (!moved || !moved->source) return false;
    b.ino = moved->ino, b.state = moved->state;
    b.on_source = true, b.source_is_directory = S_ISDIR(moved->source->mode), b.source_size = moved->source->size;
    return true;
  }

  reader& reader_;
  set set_;
  std::optional<state> only_;
  const on_line& each_;
};

}  // namespace

std::optional<set> set_named(std::string_view word) noexcept {
  const auto at = std::find(words.begin(), words.end(), word);
  if (at == words.end()) return std::nullopt;
  return static_cast<set>(at - words.begin());
}

std::string_view name_of(set s) noexcept { return words.at(static_cast<std::size_t>(s)); }

bool contains(set s, const entry& e) noexcept { return belongs(s, e.state, e.source.has_value()); }

std::uint64_t size_in(set s, const entry& e) noexcept {
  const bool here = s == set::destination || s == set::added;
  const auto& there = here || !e.source ? e.local : e.source;
  return there ? there->size : 0;
}

void list(reader& r, set which, std::string_view below, const on_line& each) {
  const auto e = r.at(below);
  if (!e) return;
  if (e->is_directory())
    walker{r, which, each}.below({e->ino}, std::string(below));
  else if (contains(which, *e))
    each(below, {e->ino, size_in(which, *e)});
}

void walk(reader& r, set which, std::string_view below, const on_picture& each) {
  list(r, which, below, [&](std::string_view path, const listed_picture& p) {
    const auto e = r.by_inode(p.ino);
    return !e || !contains(which, *e) || each(std::string(path), *e);
  });
}

}  // namespace ferryfs::index
