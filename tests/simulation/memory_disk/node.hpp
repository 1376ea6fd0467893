// A file, a directory or a symbolic link of the disk in memory, and a descriptor of it: what the files of this folder
// share. Of no interest to a test.
#pragma once

#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "index/base/clock.hpp"
#include "tests/simulation/memory_disk.hpp"

namespace ferryfs::test {

struct memory_disk::node {
  std::uint64_t number = 0;
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{}, ctime{}, birth{};
  std::string data;                                         // bytes, or where a symbolic link leads
  std::string synced;                                       // as it survives a power cut
  std::map<std::string, node_pointer> names, synced_names;  // of a directory
  unsigned links = 0;
  const void* locked_by = nullptr;

  void set_permissions(mode_t permissions);
  void set_owner(uid_t new_uid, gid_t new_gid);
};

struct memory_disk::descriptor {
  node_pointer of;
  int flags;
  std::shared_ptr<off_t> at = std::make_shared<off_t>(0);  // shared with duplicates
};

// In bytes: a node takes one block, and its content whole ones.
constexpr std::uint64_t block_size = 4096;

inline int fail(int problem) {
  errno = problem;
  return -1;
}

inline timespec now() {
  const auto ns = wall_nanoseconds();
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}

}  // namespace ferryfs::test
