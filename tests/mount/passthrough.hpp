// Whether local pictures are to be passed through here.
#pragma once

#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <utility>

namespace ferryfs::test {

// Whether the libfuse of the build, the kernel, our rights and the destination allow passthrough.
inline bool passthrough_possible(const std::filesystem::path& destination) {
  constexpr long overlay = 0x794c7630;
  utsname kernel{};
  int major = 0, minor = 0;
  struct statfs s {};
  if (::uname(&kernel) != 0 || std::sscanf(kernel.release, "%d.%d", &major, &minor) != 2) return false;
  return FUSE_USE_VERSION >= 317 && std::pair(major, minor) >= std::pair(6, 9) && ::geteuid() == 0 &&
         ::statfs(destination.c_str(), &s) == 0 && s.f_type != overlay;
}

}  // namespace ferryfs::test
