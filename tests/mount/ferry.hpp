// An archive on its way: the source and its server, the destination, and what mounts them.
#pragma once

#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/mount/mount_fixture.hpp"
#include "tests/mount/trees.hpp"

namespace ferryfs::test {

// Replication stands still, so that only what somebody reads becomes local; ferryfs says that as an error.
const std::vector<std::string> still{"--paused"};
const std::string still_says = "is blocked";

struct ferry {
  temp_dir dir{"ferry"};
  std::filesystem::path from = dir / "source";
  std::filesystem::path to = dir / "destination";
  sshd server;

  // Mounted elsewhere than over the destination, through `port` where a relay stands before the server.
  mount_options options(std::vector<std::string> more = {}, std::uint16_t port = 0) const {
    mount_options o;
    o.source = port == 0 ? server.url(from) : sshd::url(from, port);
    o.destination = to;
    o.mountpoint = dir / "mountpoint";
    o.arguments = {"--identity", server.identity(), "--known-hosts", server.known_hosts(port)};
    o.arguments.insert(o.arguments.end(), more.begin(), more.end());
    return o;
  }
};

inline std::string out_of(const std::vector<std::string>& command,
                          std::chrono::milliseconds within = std::chrono::seconds(20)) {
  const auto result = run(command, within);
  INFO(command[0] << " said: " << result.err);
  CHECK_FALSE(result.timed_out);
  CHECK(result.code == 0);
  return result.out;
}

// user.ferryfs.NAME, or the errno's name in brackets.
inline std::string attribute(const std::filesystem::path& path, const std::string& name = "state") {
  std::array<char, 256> value{};
  const auto size = ::lgetxattr(path.c_str(), ("user.ferryfs." + name).c_str(), value.data(), value.size());
  return size < 0 ? "(" + std::to_string(errno) + ")" : std::string(value.data(), static_cast<std::size_t>(size));
}

template <class Work>
std::chrono::milliseconds time_of(Work&& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
}

}  // namespace ferryfs::test
