// The tree of the fake archive: its names, and what each of them holds.
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "remote/files/split_path.hpp"
#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {

using remote::attributes;

void fake_archive::put(const std::string& path, node n) {
  const std::lock_guard lock{mutex_};
  for (std::string above = split_path(path).first;; above = split_path(above).first) {
    tree_.try_emplace(above, node{{S_IFDIR | 0755, 4096, long_ago}, ""});
    if (above.empty()) break;
  }
  if (!tree_.contains(path) && !path.empty()) ++*tree_[split_path(path).first].attrs.mtime;
  tree_[path] = std::move(n);
}

void fake_archive::put_file(const std::string& path, std::string content, std::int64_t mtime, unsigned mode) {
  const attributes a{S_IFREG | mode, content.size(), mtime};
  put(path, {a, std::move(content)});
}

void fake_archive::put_directory(const std::string& path, std::int64_t mtime, unsigned mode) {
  put(path, {{S_IFDIR | mode, 4096, mtime}, ""});
}

void fake_archive::put_link(const std::string& path, std::string target) {
  const attributes a{S_IFLNK | 0777, target.size(), long_ago};
  put(path, {a, std::move(target)});
}

void fake_archive::remove(const std::string& path) { remove_now(path); }

void fake_archive::remove_now(const std::string& path) {
  const std::lock_guard lock{mutex_};
  std::erase_if(tree_, [&](const auto& n) { return n.first == path || n.first.starts_with(path + '/'); });
  ++*tree_[split_path(path).first].attrs.mtime;
}

void fake_archive::set_mtime(const std::string& path, std::int64_t mtime) {
  const std::lock_guard lock{mutex_};
  tree_.at(path).attrs.mtime = mtime;
}

attributes fake_archive::look(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  const bool itself = path == "." || path.ends_with("/.");
  const auto at = tree_.find(itself ? path.substr(0, path.size() - std::min<std::size_t>(path.size(), 2)) : path);
  return at == tree_.end() ? attributes{} : at->second.attrs;
}

std::optional<std::string> fake_archive::content(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  const auto at = tree_.find(path);
  return at == tree_.end() ? std::nullopt : std::optional(at->second.content);
}

std::vector<std::string> fake_archive::names() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> all;
  for (const auto& [path, n] : tree_)
    if (!path.empty()) all.push_back(path);
  return all;
}

}  // namespace ferryfs::test
