// Where symbolic links lead, through a tree of any links: `inside` is never said of one that a kernel would follow out,
// and no tree keeps us busy.
#include <map>

#include "index/model/link_target.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace ferryfs;
using namespace ferryfs::index;
using fuzz::demand;

const std::vector<std::string> roots{"/srv/pictures", "/mnt/old/"};

class tree final : public link_tree {
 public:
  explicit tree(fuzz::input& in) : parents_{{root_inode, std::nullopt}} {
    for (auto left = in.below(16); left > 0; --left) {
      const inode directory = root_inode + in.below(parents_.size());
      const std::string name(1, static_cast<char>('a' + in.below(4)));
      node n{static_cast<kind>(in.below(5)), 0, {}};
      if (n.what == kind::directory) n.ino = root_inode + parents_.size();
      if (n.what == kind::link) n.target = in.text();
      if (!children_.emplace(std::pair{directory, name}, n).second) continue;
      if (n.what == kind::directory) parents_[n.ino] = directory;
    }
  }

  node child(inode directory, std::string_view name) override {
    ++looks_;
    const auto at = children_.find({directory, std::string(name)});
    return at == children_.end() ? node{} : at->second;
  }
  std::optional<inode> parent(inode directory) override { return parents_.at(directory); }

  std::size_t looks() const noexcept { return looks_; }
  inode any_directory(fuzz::input& in) const { return root_inode + in.below(parents_.size()); }

  // As a kernel walks, from `at`. False: it left the tree, or met what is not known. Ends like the kernel at the 41st
  // link, or where there is nothing.
  bool stays_inside(inode at, std::string_view target) const {
    unsigned links = 1;
    return walk(at, std::string(target), links);
  }

 private:
  bool walk(inode at, std::string way, unsigned& links) const {
    if (way.starts_with('/')) {
      bool below = false;
      for (std::string root : roots) {
        while (root.ends_with('/')) root.pop_back();
        if (below || !(way == root || way.starts_with(root + '/'))) continue;
        below = true, way.erase(0, root.size()), at = root_inode;
      }
      if (!below) return false;
    }
    while (!way.empty()) {
      const auto slash = way.find('/');
      const std::string name = way.substr(0, slash);
      way.erase(0, slash == std::string::npos ? slash : slash + 1);
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        const auto up = parents_.at(at);
        if (!up) return false;
        at = *up;
        continue;
      }
      const auto there = children_.find({at, name});
      const auto what = there == children_.end() ? kind::none : there->second.what;
      if (what == kind::unlisted) return false;
      if (what == kind::directory) at = there->second.ino;
      if (what == kind::none || what == kind::file) return true;
      if (what == kind::link) {
        if (++links > 40) return true;
        return walk(at, there->second.target + '/' + way, links);
      }
    }
    return true;
  }

  std::map<std::pair<inode, std::string>, node> children_;
  std::map<inode, std::optional<inode>> parents_;
  std::size_t looks_ = 0;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  tree t{in};
  const inode from = t.any_directory(in);
  const std::string target{in.rest()};
  const auto to = follow(t, from, target, roots);
  demand(t.looks() <= 5'000, "no way has us look without end");
  if (to == leads::inside) demand(t.stays_inside(from, target), "what leads inside stays there");
  if (to == leads::outside && target.find(".ferryfs") == std::string::npos && target.find('/') == std::string::npos &&
      target != "..")
    demand(!t.stays_inside(from, target), "what leads outside is no name that stays");
  return 0;
}
