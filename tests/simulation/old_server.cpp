#include "tests/simulation/old_server.hpp"

#include <vector>

#include "index/base/clock.hpp"

namespace ferryfs::test {

std::string parent_path(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string last_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_below(const std::string& path, const std::string& top) {
  return top.empty() ? !path.empty() : path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

old_server::old_server() { tree_[""] = std::make_shared<node>(node{true, 0755, "", 1'373'868'600}); }

old_server::node_pointer old_server::find(const std::string& path) const {
  const auto at = tree_.find(path);
  return at == tree_.end() ? nullptr : at->second;
}

bool old_server::touch_parent(const std::string& path) {
  const auto above = find(parent_path(path));
  if (!above || !above->is_directory) return false;
  above->mtime = wall_seconds();
  return true;
}

bool old_server::make_directory(const std::string& path) {
  if (find(path) || !touch_parent(path)) return false;
  tree_[path] = std::make_shared<node>(node{true, 0755, "", wall_seconds()});
  since_[path] = wall_now();
  return true;
}

bool old_server::write(const std::string& path, const std::string& content) {
  auto known = find(path);
  if (known && known->is_directory) return false;
  if (!known) {
    if (!touch_parent(path)) return false;
    known = tree_[path] = std::make_shared<node>();
    since_[path] = wall_now();
  }
  known->content = content, known->mtime = wall_seconds(), known->changed = wall_now();
  return true;
}

bool old_server::rename(const std::string& from, const std::string& to) {
  const auto one = find(from), there = find(to);
  if (!one || from == to || is_below(to, from)) return false;
  if (there && (there->is_directory || one->is_directory)) return false;
  if (!touch_parent(to)) return false;
  touch_parent(from);
  std::vector<std::pair<std::string, node_pointer>> moved;
  for (const auto& [path, n] : tree_)
    if (path == from || is_below(path, from)) moved.emplace_back(path, n);
  for (const auto& [path, n] : moved) tree_.erase(path), left_.insert(path);
  for (const auto& [path, n] : moved) {
    const auto now = to + path.substr(from.size());
    tree_[now] = n, since_[now] = wall_now();
  }
  return true;
}

bool old_server::remove(const std::string& path) {
  if (path.empty() || !find(path)) return false;
  touch_parent(path);
  std::erase_if(tree_, [&](const auto& one) {
    const bool goes = one.first == path || is_below(one.first, path);
    if (goes) left_.insert(one.first);
    return goes;
  });
  return true;
}

std::chrono::system_clock::time_point old_server::since(const std::string& path) const {
  const auto at = since_.find(path);
  return at == since_.end() ? std::chrono::system_clock::time_point{} : at->second;
}

void old_server::age(const std::string& path, std::int64_t mtime) {
  if (const auto n = find(path)) n->mtime = mtime;
}

}  // namespace ferryfs::test
