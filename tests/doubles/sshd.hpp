// A real OpenSSH server on a free port of 127.0.0.1, with keys that live as long as it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/doubles/process.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {

struct sshd_options {
  std::string sftp_command;          // what the subsystem runs; empty: the system's own sftp-server
  std::string key_type = "ed25519";  // of identity(): ed25519, ecdsa or rsa
  std::vector<std::string>
      config;  // more lines for sshd_config; they come first, and sshd takes the first that it reads
};

// Accepts connections when constructed. Skips the test case where no sshd is installed. For one thread.
class sshd {
 public:
  explicit sshd(sshd_options options = {});
  ~sshd();

  std::uint16_t port() const { return port_; }
  static std::string user();
  // "sftp://root@127.0.0.1:PORT/abs/path"; by another port where a relay stands before it.
  std::string url(const std::filesystem::path& path) const { return url(path, port_); }
  static std::string url(const std::filesystem::path& path, std::uint16_t port);

  // Private key files: one that is let in, and one that nobody knows.
  std::filesystem::path identity() const { return dir_ / "identity"; }
  std::filesystem::path unknown_identity();

  // Files for --known-hosts. Each names the server by its own port and, where given, by a relay's.
  std::filesystem::path known_hosts(std::uint16_t relay_port = 0) const;
  std::filesystem::path hashed_known_hosts(std::uint16_t relay_port = 0) const;
  std::filesystem::path wrong_known_hosts(std::uint16_t relay_port = 0);  // another key stands there for the server
  std::filesystem::path empty_known_hosts() const;

  // Ends the server and every connection; start() takes the same port again.
  void stop();
  void start();
  void restart();
  // As after a new installation of the old server: restarts it with another host key.
  void change_host_key();

  // SIGSTOP to the server and to all that serves its connections; they stand when it returns. The system goes on
  // accepting connections for it.
  void freeze();
  void thaw();

  std::size_t connections() const;  // being served now
  std::size_t logins() const;       // ever, since it was last started
  std::string log() const;          // since it was last started

  // Arguments for `ssh` and `sftp` to reach it with.
  std::vector<std::string> client_options() const;

 private:
  void write_config();
  bool listens();
  void make_key(const std::filesystem::path& file, const std::string& type) const;
  std::filesystem::path write_known_hosts(const std::string& name, const std::filesystem::path& key,
                                          std::uint16_t relay_port) const;

  sshd_options options_;
  temp_dir dir_;
  std::uint16_t port_ = 0;
  std::filesystem::path host_key_;
  std::vector<pid_t> frozen_;
  std::optional<process> server_;
};

}  // namespace ferryfs::test
