#include "index/query/rows_below.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "index/base/path.hpp"

namespace ferryfs::index {
namespace {

class walker {
 public:
  explicit walker(std::initializer_list<state> states) : states_(states) {}

  // What was deleted in it is as well.
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

// The directory at a path, which may have been deleted.
std::optional<entry> directory_at(reader& r, const std::string& path) {
  auto found = r.by_inode(root_inode);
  for (std::size_t from = 0; found && from < path.size();) {
    const auto slash = std::min(path.find('/', from), path.size());
    const auto name = path.substr(from, slash - from);
    const auto hidden = r.hidden_child(found->ino, name);
    found = r.child(found->ino, name);
    if (!found && hidden && hidden->state == state::deleted) found = hidden;
    from = slash + 1;
  }
  return found;
}

}  // namespace

void rows_below(reader& r, std::initializer_list<state> states, std::string_view below,
                const std::function<bool(const std::string& path, const entry& e)>& each) {
  walker w{states};
  const std::string path{below};
  const auto slash = path.rfind('/');
  const auto parent = directory_at(r, slash == std::string::npos ? "" : path.substr(0, slash));
  if (parent && !path.empty())
    if (const auto hidden = r.hidden_child(parent->ino, path.substr(slash + 1))) {
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
