#include "tests/servers/real_server.hpp"

#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <system_error>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/loopback.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/process_tree.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class openssh final : public real_server {
 public:
  std::string url(const fs::path& archive) const override { return server_.url(archive); }
  std::vector<std::string> login() const override {
    return {"--identity", server_.identity(), "--known-hosts", server_.known_hosts()};
  }
  std::string log() const override { return server_.log(); }

 private:
  sshd server_;
};

// One that is started by a command, and has its keys and all that it writes in a directory of the test's.
class command_server : public real_server {
 public:
  command_server() {
    for (const char* key : {"host_key", "identity"})
      must("ssh-keygen -q -t ed25519 -N '' -C ferryfs-test -f " + (dir_ / key).string());
    write_file(dir_ / "authorized_keys", read_file(dir_ / "identity.pub"));
    write_file(known_hosts(), "[127.0.0.1]:" + std::to_string(port_) + ' ' + read_file(dir_ / "host_key.pub"));
  }
  ~command_server() override {
    if (server_ && !server_->ended()) kill_tree(server_->pid());
  }
  std::string url(const fs::path& archive) const override { return sshd::url(archive, port_); }
  std::vector<std::string> login() const override {
    return {"--identity", dir_ / "identity", "--known-hosts", known_hosts()};
  }
  std::string log() const override { return server_ ? server_->out() + server_->err() : ""; }

 protected:
  fs::path file(const std::string& name) const { return dir_ / name; }
  std::string port() const { return std::to_string(port_); }

  // Runs a command of the shell; the test case ends as skipped, with what it said, where that fails.
  void must(const std::string& command) const {
    const auto result = run({"sh", "-c", command});
    if (result.code != 0) skip(command + ": " + result.out + result.err);
  }
  void need_root() const {
    if (::geteuid() != 0) skip("only root can run this server for its own account");
  }
  void start(const std::vector<std::string>& command) {
    server_.emplace(command);
    if (!wait_until([&] { return accepts() || server_->ended(); }, 20s) || server_->ended())
      throw std::runtime_error(command.at(0) + " does not start:\n" + log());
  }

 private:
  fs::path known_hosts() const { return dir_ / "known_hosts"; }
  bool accepts() const {
    try {
      connected_loopback(port_);
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  temp_dir dir_{"server"};
  std::uint16_t port_ = free_port();
  std::optional<process> server_;
};

// It reads ~/.ssh of the account alone: so the account's home is another for this process, and for nobody else.
class dropbear final : public command_server {
 public:
  dropbear() {
    need_root();
    must("command -v dropbear && command -v dropbearconvert && test -x /usr/lib/sftp-server");
    must("dropbearconvert openssh dropbear " + file("host_key").string() + ' ' + file("dropbear_key").string());
    const fs::path home = file("home");
    fs::create_directories(home / ".ssh");
    fs::permissions(home / ".ssh", fs::perms::owner_all);
    fs::copy_file(file("authorized_keys"), home / ".ssh/authorized_keys");
    fs::permissions(home / ".ssh/authorized_keys", fs::perms::owner_read);
    start({"unshare", "--mount", "sh", "-c",
           "mount --bind " + home.string() + " ~ && exec dropbear -F -E -s -p 127.0.0.1:" + port() + " -r " +
               file("dropbear_key").string() + " -P " + file("pid").string()});
  }
};

class proftpd final : public command_server {
 public:
  proftpd() {
    need_root();
    // By scripts/unpack-proftpd, or else the system's.
    const fs::path unpacked = FERRYFS_SOURCE_DIR "/build/proftpd";
    const bool own = fs::exists(unpacked / "usr/sbin/proftpd");
    const std::string program = own ? (unpacked / "usr/sbin/proftpd").string() : "proftpd";
    const std::string modules = own ? (unpacked / "usr/lib/proftpd").string() : "/usr/lib/proftpd";
    must("command -v " + program + " && test -e " + modules +
         "/mod_sftp.so || { echo run scripts/setup --servers; false; }");
    must("ssh-keygen -e -m RFC4716 -f " + file("identity.pub").string() + " >" + file("keys").string());
    const std::string user = sshd::user(), at = file("").string();
    write_file(file("passwd"), user + ":x:0:0::/root:/bin/sh\n");
    fs::permissions(file("passwd"), fs::perms::owner_read);  // it refuses one that everybody may read
    write_file(file("proftpd.conf"),
               "ModulePath " + modules +
                   "\nLoadModule mod_sftp.c\nServerType standalone\nServerName test\n"
                   "DefaultAddress 127.0.0.1\nSocketBindTight on\nPort " +
                   port() +
                   "\nUser root\nGroup root\nUseIPv6 off\n"
                   "RootLogin on\nUseFtpUsers off\nRequireValidShell off\nAuthOrder mod_auth_file.c\nAuthUserFile " +
                   at + "passwd\nPidFile " + at +
                   "pid\nScoreboardFile none\nDelayEngine off\nUseReverseDNS off\nWtmpLog off\n"
                   "TransferLog none\nSystemLog none\nMaxInstances 30\n"
                   "SFTPEngine on\nSFTPHostKey " +
                   at + "host_key\nSFTPAuthorizedUserKeys file:" + at + "keys\nSFTPAuthMethods publickey\nSFTPLog " +
                   at + "log\n");
    start({program, "--nodaemon", "--config", file("proftpd.conf")});
  }
};

class rclone final : public command_server {
 public:
  explicit rclone(fs::path directory) : root_(std::move(directory)) {
    must("command -v rclone");
    start({"rclone", "serve", "sftp", root_, "--addr", "127.0.0.1:" + port(), "--key", file("host_key"),
           "--authorized-keys", file("authorized_keys"), "--config", "/dev/null", "--cache-dir", file("cache"),
           // Without the cache nothing can be gone on with; what the other side changes is seen at once.
           "--vfs-cache-mode", "writes", "--vfs-write-back", "1s", "--dir-cache-time", "0"});
  }
  std::string url(const fs::path& archive) const override {
    return command_server::url("/" / archive.lexically_relative(root_));
  }

 private:
  fs::path root_;
};

// A script beside this file, for a Python module of the same name.
class python_server final : public command_server {
 public:
  explicit python_server(const std::string& module) {
    must("/usr/bin/python3 -W ignore -c 'import " + module + "'");
    start({"/usr/bin/python3", "-W", "ignore", FERRYFS_SOURCE_DIR "/tests/servers/" + module + "_server.py", port(),
           file("host_key"), file("authorized_keys")});
  }
};

}  // namespace

std::unique_ptr<real_server> start_server(const std::string& kind, const fs::path& directory) {
  if (kind == "OpenSSH") return std::make_unique<openssh>();
  if (kind == "dropbear") return std::make_unique<dropbear>();
  if (kind == "ProFTPD") return std::make_unique<proftpd>();
  if (kind == "rclone") return std::make_unique<rclone>(directory);
  if (kind == "paramiko" || kind == "asyncssh") return std::make_unique<python_server>(kind);
  throw std::logic_error("no server of kind " + kind);
}

}  // namespace ferryfs::test
