// SFTP servers of several makes, each on a free port of 127.0.0.1 with keys that live as long as it does.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ferryfs::test {

class real_server {
 public:
  virtual ~real_server() = default;
  real_server() = default;
  real_server(const real_server&) = delete;
  real_server& operator=(const real_server&) = delete;

  // SOURCE for an archive that lies in the directory that is served.
  virtual std::string url(const std::filesystem::path& archive) const = 0;
  // --identity and --known-hosts.
  virtual std::vector<std::string> login() const = 0;
  virtual std::string log() const = 0;
};

// Accepts connections when it returns; skips the test case where the server is not installed, or would need root.
// `kind` is "OpenSSH", "dropbear" (with OpenSSH's sftp-server), "ProFTPD" (mod_sftp), "rclone", "paramiko" or
// "asyncssh". All serve this machine's files by their whole paths, but rclone, which serves `directory` as its root.
std::unique_ptr<real_server> start_server(const std::string& kind, const std::filesystem::path& directory);

}  // namespace ferryfs::test
