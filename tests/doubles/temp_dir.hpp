// A directory of a test's own.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ferryfs::test {

// Made empty, in the test run's directory (see test_run) or else the system's; removed in the destructor with all that
// is in it. What is mounted below is taken off first, and where that fails nothing is removed.
class temp_dir {
 public:
  explicit temp_dir(std::string_view name = "dir");
  ~temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const { return path_ / below; }

 private:
  std::filesystem::path path_;
};

// Removes a tree without ever going through a mount; false where something of it stays.
bool remove_tree(const std::filesystem::path& path) noexcept;

}  // namespace ferryfs::test
