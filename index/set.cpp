#include "index/set.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "index/path.hpp"

namespace ferryfs::index {
namespace {

constexpr std::array<std::string_view, 9> words{"source",   "destination", "common",  "missing", "new",
                                                "conflict", "deleted",     "skipped", "failed"};

std::optional<state> state_of(set s) noexcept {
  constexpr auto first = static_cast<int>(set::common);
  if (s < set::common) return std::nullopt;
  return all_states.at(static_cast<std::size_t>(static_cast<int>(s) - first));
}

// What a directory holds that is to be walked: pictures of the set, and all that may hold some below it.
struct node {
  std::string key;  // a directory's name counts as if it ended in '/', so that whole paths come in order
  entry e;
};

class walker {
 public:
  walker(reader& r, set which, const on_picture& each) : reader_(r), set_(which), each_(each) {}

  // False: `each` wants no more.
  bool below(inode directory, const std::string& path) {
    std::vector<node> nodes;
    gather(directory, nodes);
    std::sort(nodes.begin(), nodes.end(), [](const node& a, const node& b) { return a.key < b.key; });
    for (auto& n : nodes) {
      const std::string here = join(path, name_here(n));
      if (n.key.ends_with('/') ? !below(n.e.ino, here) : !each_(here, n.e)) return false;
      n.e = {};
    }
    return true;
  }

 private:
  static std::string name_here(const node& n) {
    return n.key.ends_with('/') ? n.key.substr(0, n.key.size() - 1) : n.key;
  }

  void gather(inode directory, std::vector<node>& nodes) {
    const bool hidden_too = set_ == set::source || set_ == set::deleted || set_ == set::conflict;
    const auto take = [&](entry&& e) {
      add(std::move(e), nodes);
      return true;
    };
    has_pictures(directory) ? reader_.children(directory, "", take) : reader_.subdirectories(directory, "", take);
    if (hidden_too) reader_.hidden_children(directory, "", take);
  }

  bool has_pictures(inode directory) {
    const auto only = state_of(set_);
    return !only || reader_.totals(directory).of(*only).files > 0;
  }

  void add(entry&& e, std::vector<node>& nodes) {
    if (set_ == set::source && e.origin) return;  // comes by its hidden row
    std::string name = e.name;
    if (e.state == state::moved) {
      auto moved = set_ == set::source ? reader_.by_origin(e.ino) : std::nullopt;
      if (!moved) return;
      e = *std::move(moved);
    }
    const auto& there =
        set_ == set::source && e.source ? e.source : std::optional(e.local || e.source ? e.shown() : side{});
    if (S_ISDIR(there->mode))
      nodes.push_back({name + '/', std::move(e)});
    else if (contains(set_, e))
      nodes.push_back({std::move(name), std::move(e)});
  }

  reader& reader_;
  set set_;
  const on_picture& each_;
};

}  // namespace

std::optional<set> set_named(std::string_view word) noexcept {
  const auto at = std::find(words.begin(), words.end(), word);
  if (at == words.end()) return std::nullopt;
  return static_cast<set>(at - words.begin());
}

std::string_view name_of(set s) noexcept { return words.at(static_cast<std::size_t>(s)); }

bool contains(set s, const entry& e) noexcept {
  switch (s) {
    case set::source:
      return e.source.has_value();
    case set::destination:
      return e.is_local();
    case set::conflict:
      return e.state == state::conflict || e.state == state::shadowed;
    case set::deleted:
      return e.state == state::deleted || e.state == state::overruled;
    default:
      return e.state == *state_of(s);
  }
}

std::uint64_t size_in(set s, const entry& e) noexcept {
  const bool here = s == set::destination || s == set::added;
  const auto& there = here || !e.source ? e.local : e.source;
  return there ? there->size : 0;
}

void walk(reader& r, set which, std::string_view below, const on_picture& each) {
  const auto e = r.at(below);
  if (!e) return;
  if (e->is_directory())
    walker{r, which, each}.below(e->ino, std::string(below));
  else if (contains(which, *e))
    each(std::string(below), *e);
}

}  // namespace ferryfs::index
