#include "index/model/link_target.hpp"

#include "index/base/path.hpp"

namespace ferryfs::index {
namespace {

constexpr std::size_t longest_target = 4095;  // PATH_MAX without its NUL
constexpr unsigned most_steps = 4096;         // a server may send longer ways, to keep us busy
constexpr unsigned most_links = 40;           // MAXSYMLINKS in linux/namei.h; the link itself is the first

// Takes the first component off `way`; of "a//b", the second is empty.
std::string_view take_component(std::string_view& way) {
  const auto slash = way.find('/');
  const auto name = way.substr(0, slash);
  way.remove_prefix(slash == std::string_view::npos ? way.size() : slash + 1);
  return name;
}

// False: the kernel would get another target than the server sent, or none.
bool can_stand(std::string_view target) {
  return target.size() <= longest_target && target.find('\0') == std::string_view::npos;
}

bool is_nothing(std::string_view component) { return component.empty() || component == "."; }

// The next component that is a name or ".."; empty: there is none.
std::string_view next_component(std::string_view& way) {
  while (!way.empty())
    if (const auto name = take_component(way); !is_nothing(name)) return name;
  return {};
}

// The rest of an absolute way below `root`; nothing: it does not lead there.
std::optional<std::string_view> below(std::string_view way, std::string_view root) {
  bool any = false;
  for (auto wanted = next_component(root); !wanted.empty(); wanted = next_component(root), any = true)
    if (next_component(way) != wanted) return std::nullopt;
  return any ? std::optional(way) : std::nullopt;  // below "/" lies everything
}

// Whether a way that begins at a directory that does not exist yet stays below that directory once it does.
bool only_goes_down(std::string_view way) {
  for (auto name = next_component(way); !name.empty(); name = next_component(way))
    if (name == ".." || name == own_directory) return false;
  return true;
}

class walk {
 public:
  walk(link_tree& tree, inode at, const std::vector<std::string>& roots) : tree_(tree), roots_(roots), at_(at) {}

  leads run(std::string_view target) {
    if (!can_stand(target)) return leads::unknown;
    if (!turn_to(target)) return leads::outside;
    std::string_view left = way_;
    for (auto name = next_component(left); !name.empty(); name = next_component(left))
      if (const auto end = step(name, left)) return *end;
    return leads::inside;
  }

 private:
  // Nothing: it goes on, in `left`.
  std::optional<leads> step(std::string_view name, std::string_view& left) {
    if (++steps_ > most_steps) return leads::around;
    if (name == "..") {
      const auto up = at_ == root_inode ? std::nullopt : tree_.parent(at_);
      if (!up) return leads::outside;
      at_ = *up;
      return std::nullopt;
    }
    if (at_ == root_inode && name == own_directory) return leads::outside;
    const auto there = tree_.child(at_, name);
    switch (there.what) {
      case link_tree::kind::unlisted:
        return leads::unknown;
      case link_tree::kind::directory:
        at_ = there.ino;
        return std::nullopt;
      case link_tree::kind::link:
        if (++links_ > most_links) return leads::around;
        if (!can_stand(there.target)) return leads::unknown;
        if (!turn_to(there.target + '/' + std::string(left))) return leads::outside;
        left = way_;
        return std::nullopt;
      default:
        return only_goes_down(left) ? leads::inside : leads::unknown;
    }
  }

  // False: an absolute way that leads elsewhere.
  bool turn_to(std::string_view way) {
    std::optional<std::string_view> rest;
    if (way.starts_with('/')) {
      for (const auto& root : roots_)
        if (const auto r = below(way, root); r && (!rest || r->size() < rest->size())) rest = r;
      if (!rest) return false;
      at_ = root_inode;
    }
    way_ = std::string(rest.value_or(way));
    return true;
  }

  link_tree& tree_;
  const std::vector<std::string>& roots_;
  inode at_;
  std::string way_;
  unsigned links_ = 1, steps_ = 0;
};

}  // namespace

leads follow(link_tree& tree, inode directory, std::string_view target, const std::vector<std::string>& roots) {
  return walk{tree, directory, roots}.run(target);
}

}  // namespace ferryfs::index
