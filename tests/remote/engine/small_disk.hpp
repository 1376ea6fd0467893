// A disk of a few megabytes that nobody else writes to, as root can make one.
#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {

struct small_disk {
  temp_dir dir{"small"};
  explicit small_disk(const char* size) {
    if (::geteuid() != 0) skip("only root can mount a tmpfs to fill");
    if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, size) != 0) skip("a tmpfs cannot be mounted here");
  }
};

}  // namespace ferryfs::test
