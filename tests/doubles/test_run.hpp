// The frame around one run of a test executable: whatever becomes of it, nothing stays.
#pragma once

#include <filesystem>

#include "tests/doubles/descriptor.hpp"

namespace ferryfs::test {

// One an executable, first thing in main. It makes the directory in which every temp_dir lies, marks all processes that
// tests start with an environment variable, and lets a guardian watch from outside: when the executable ends, and be it
// by the SIGKILL of a CTest time limit with a read hanging in a mount, the guardian kills the marked processes, takes
// off the mounts and removes the directory.
class test_run {
 public:
  test_run();
  ~test_run();
  test_run(const test_run&) = delete;
  test_run& operator=(const test_run&) = delete;

  // Empty while no test run is on.
  static std::filesystem::path directory();

 private:
  std::filesystem::path directory_;
  descriptor lifeline_;  // the guardian reads its end of it
};

}  // namespace ferryfs::test
