#include "tests/doubles/temp_dir.hpp"

#include <cstdlib>
#include <iostream>

#include "tests/doubles/descriptor.hpp"
#include "tests/doubles/mounts.hpp"
#include "tests/doubles/test_run.hpp"

namespace ferryfs::test {

temp_dir::temp_dir(std::string_view name) {
  auto parent = test_run::directory();
  if (parent.empty()) parent = std::filesystem::canonical(std::filesystem::temp_directory_path());
  std::string pattern = parent / (std::string(name) + "-XXXXXX");
  if (::mkdtemp(pattern.data()) == nullptr) throw_errno(pattern);
  path_ = pattern;
}

temp_dir::~temp_dir() {
  if (!remove_tree(path_)) std::cerr << "left behind: " << path_ << '\n';
}

bool remove_tree(const std::filesystem::path& path) noexcept {
  try {
    detach_below(path);
    if (!mounts_below(path).empty()) return false;
    std::filesystem::remove_all(path);
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace ferryfs::test
