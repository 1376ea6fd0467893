#include "index/query/rows_below.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "index/base/path.hpp"
#include "index/db/path_walk.hpp"

namespace ferryfs::index {
namespace {

class walker {
 public:
  explicit walker(std::initializer_list<state> states) : states_(states) {}

  // The deleted entries in it are as well.
  bool is_wanted_deletion(const entry& e) const { return e.state == state::deleted && wants(e); }

  bool wants(const entry& e) const { return std::find(states_.begin(), states_.end(), e.state) != states_.end(); }

  // The wanted rows of a directory; its subdirectories go on the stack.
  std::vector<entry> rows(reader& r, inode directory, const std::string& path) {
    std::vector<entry> found;
    const auto take = [&](entry&& e) {
      if (e.is_directory() && (!is_hidden(e.state) || is_wanted_deletion(e)))
        stack.emplace_back(e.ino, join(path, e.name));
      if (wants(e)) found.push_back(std::move(e));
      return true;
    };
    has_pictures(r, directory) ? r.children(directory, "", take) : r.subdirectories(directory, "", take);
    r.hidden_children(directory, "", take);
    return found;
  }

  std::vector<std::pair<inode, std::string>> stack;

 private:
  bool has_pictures(reader& r, inode directory) const {
    const auto totals = r.totals(directory);
    return std::any_of(states_.begin(), states_.end(),
                       [&](state s) { return !is_hidden(s) && totals.of(s).files > 0; });
  }

  const std::vector<state> states_;
};

// The last name of a path, in a directory that may have been deleted.
std::optional<location> location_of(reader& r, std::string_view path) {
  return locate(path, [&](inode directory, std::string_view name) -> std::optional<inode> {
    if (const auto e = r.child(directory, name)) return e->ino;
    const auto hidden = r.hidden_child(directory, name);
    return hidden && hidden->state == state::deleted ? std::optional(hidden->ino) : std::nullopt;
  });
}

}  // namespace

void rows_below(reader& r, std::initializer_list<state> states, std::string_view below,
                const std::function<bool(const std::string& path, const entry& e)>& each) {
  walker w{states};
  const std::string path{below};
  if (const auto at = location_of(r, path); at && !path.empty())
    if (const auto hidden = r.hidden_child(at->directory, at->name)) {
      if (w.wants(*hidden) && !each(path, *hidden)) return;
      if (w.is_wanted_deletion(*hidden) && hidden->is_directory()) w.stack.emplace_back(hidden->ino, path);
    }
  const auto self = r.at(path);
  if (self && w.wants(*self) && !each(path, *self)) return;
  if (self && self->is_directory()) w.stack.emplace_back(self->ino, path);
  while (!w.stack.empty()) {
    const auto [directory, at] = std::move(w.stack.back());
    w.stack.pop_back();
    for (const entry& e : w.rows(r, directory, at))
      if (!each(join(at, e.name), e)) return;
  }
}

}  // namespace ferryfs::index
