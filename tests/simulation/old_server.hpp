// The old server as it is: a tree in memory, changed by the person who works there, and the network before it.
// It outlives the engine that reads it. Its changes are what its own file system would do; what is heard of it, and
// when, is server_archive's.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace ferryfs::test {

class old_server {
 public:
  struct node {
    bool is_directory = false;
    std::uint32_t mode = 0644;
    std::string content;
    std::int64_t mtime = 0;  // seconds since 1970
    std::chrono::system_clock::time_point changed{};
  };
  using node_pointer = std::shared_ptr<node>;

  old_server();

  // By path; the root is "". A file that is open stays itself under another name.
  const std::map<std::string, node_pointer>& tree() const noexcept { return tree_; }
  node_pointer find(const std::string& path) const;

  // Each is false, and changes nothing, where a file system would refuse it.
  bool make_directory(const std::string& path);
  // In place: whoever has it open reads the new bytes.
  bool write(const std::string& path, const std::string& content);
  bool rename(const std::string& from, const std::string& to);  // in place of a file there
  bool remove(const std::string& path);                         // with all that is below it
  // When something came to stand under this path that is there now.
  std::chrono::system_clock::time_point since(const std::string& path) const;
  // Something else stood there before, and went.
  bool was_left(const std::string& path) const { return left_.contains(path); }
  // As if it had been there for long.
  void age(const std::string& path, std::int64_t mtime);

  bool is_connected = true;
  // Of requests, one in so many fails; 0: none.
  unsigned fails_one_in = 0;

 private:
  bool touch_parent(const std::string& path);

  std::map<std::string, node_pointer> tree_;
  std::map<std::string, std::chrono::system_clock::time_point> since_;
  std::set<std::string> left_;
};

std::string parent_path(const std::string& path);
std::string last_name(const std::string& path);
bool is_below(const std::string& path, const std::string& top);

}  // namespace ferryfs::test
