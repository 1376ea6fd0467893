#include "tests/doubles/sshd.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/loopback.hpp"
#include "tests/doubles/process_tree.hpp"
#include "tests/doubles/wait_until.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

// sshd insists on being called by its whole path: it runs itself anew for every connection.
std::filesystem::path program() {
  for (const auto* path : {"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"}) {
    if (std::filesystem::exists(path)) return path;
  }
  skip("no sshd is installed");
}

std::string sftp_server() {
  for (const auto* path :
       {"/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return "internal-sftp";
}

void must(const std::vector<std::string>& command) {
  const auto result = run(command);
  if (result.code != 0) throw std::runtime_error(command.at(0) + ": " + result.err);
}

std::size_t occurrences(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++count;
  return count;
}

}  // namespace

sshd::sshd(sshd_options options) : options_(std::move(options)), dir_("sshd"), host_key_(dir_ / "host_key") {
  program();
  // Its privilege separation wants the directory, and takes no other.
  if (::geteuid() == 0 && !std::filesystem::exists("/run/sshd")) ::mkdir("/run/sshd", 0755);
  if (options_.sftp_command.empty()) options_.sftp_command = sftp_server();
  make_key(host_key_, "ed25519");
  make_key(identity(), options_.key_type);
  write_file(dir_ / "authorized_keys", read_file(dir_ / "identity.pub"));
  // Between the choice of a free port and sshd's bind another process may have taken it.
  for (int tries = 5; !server_; --tries) {
    port_ = free_port();
    write_config();
    try {
      start();
    } catch (const std::runtime_error&) {
      if (tries == 1) throw;
    }
  }
}

sshd::~sshd() { stop(); }

void sshd::write_config() {
  const auto config = dir_ / "sshd_config";
  std::string text;
  for (const auto& line : options_.config) text += line + '\n';
  // Of these sshd takes the last line that it reads.
  for (const auto* word : {"MaxStartups 100", "MaxSessions 10"})
    if (text.find(std::string(word).substr(0, 11)) == std::string::npos) text += std::string(word) + '\n';
  // bash reads its start-up file for every command of sshd's, unless it takes itself for a shell within a shell; what
  // somebody has there takes its time, and may print.
  text += "SetEnv SHLVL=1\n";
  text += "ListenAddress 127.0.0.1:" + std::to_string(port_) + "\nHostKey " + host_key_.string() +
          "\nAuthorizedKeysFile " + (dir_ / "authorized_keys").string() + "\nSubsystem sftp " + options_.sftp_command +
          "\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n"
          "KbdInteractiveAuthentication no\nLogLevel VERBOSE\n";
  write_file(config, text);
  // From OpenSSH 9.8 on an address that was refused is shut out for a while; earlier ones don't know the word.
  const std::string lenient = "PerSourcePenalties no";
  if (run({program(), "-t", "-f", config, "-o", lenient}).code == 0) write_file(config, text + lenient + '\n');
}

void sshd::start() {
  if (server_) return;
  server_.emplace(std::vector<std::string>{program(), "-D", "-e", "-f", dir_ / "sshd_config"});
  if (listens()) return;
  const auto said = log();
  stop();
  throw std::runtime_error("sshd does not start on port " + std::to_string(port_) + ":\n" + said);
}

bool sshd::listens() {
  const auto line = "Server listening on 127.0.0.1 port " + std::to_string(port_);
  bool found = false;
  wait_until([&] { return (found = log().find(line) != std::string::npos) || server_->ended(); });
  return found && !server_->ended();
}

void sshd::stop() {
  if (!server_) return;
  if (!server_->ended()) kill_tree(server_->pid());
  server_->wait(5s);
  server_.reset();
  frozen_.clear();
}

void sshd::restart() {
  stop();
  start();
}

void sshd::change_host_key() {
  stop();
  host_key_ = dir_ / "new_host_key";
  make_key(host_key_, "ed25519");
  write_config();
  start();
}

void sshd::freeze() {
  if (server_ && frozen_.empty()) frozen_ = freeze_tree(server_->pid());
}

void sshd::thaw() {
  for (const pid_t pid : frozen_) ::kill(pid, SIGCONT);
  frozen_.clear();
}

std::size_t sshd::connections() const { return server_ ? children_of(server_->pid()).size() : 0; }
std::size_t sshd::logins() const { return occurrences(log(), "Accepted publickey for"); }
std::string sshd::log() const { return server_ ? server_->err() : ""; }

std::string sshd::user() {
  const passwd* const entry = ::getpwuid(::geteuid());
  if (entry == nullptr) throw std::runtime_error("the current user has no name");
  return entry->pw_name;
}

std::string sshd::url(const std::filesystem::path& path, std::uint16_t port) {
  return "sftp://" + user() + "@127.0.0.1:" + std::to_string(port) + path.string();
}

void sshd::make_key(const std::filesystem::path& file, const std::string& type) const {
  if (std::filesystem::exists(file)) return;
  must({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "ferryfs-test", "-f", file});
}

std::filesystem::path sshd::unknown_identity() {
  make_key(dir_ / "unknown_identity", options_.key_type);
  return dir_ / "unknown_identity";
}

std::filesystem::path sshd::write_known_hosts(const std::string& name, const std::filesystem::path& key,
                                              std::uint16_t relay_port) const {
  auto file = dir_ / name;
  if (relay_port != 0) file += '-' + std::to_string(relay_port);
  const auto public_key = read_file(key.string() + ".pub");
  std::string text = "[127.0.0.1]:" + std::to_string(port_) + ' ' + public_key;
  if (relay_port != 0) text += "[127.0.0.1]:" + std::to_string(relay_port) + ' ' + public_key;
  write_file(file, text);
  return file;
}

std::filesystem::path sshd::known_hosts(std::uint16_t relay_port) const {
  return write_known_hosts("known_hosts", host_key_, relay_port);
}

std::filesystem::path sshd::hashed_known_hosts(std::uint16_t relay_port) const {
  auto file = write_known_hosts("hashed_known_hosts", host_key_, relay_port);
  must({"ssh-keygen", "-q", "-H", "-f", file});
  return file;
}

std::filesystem::path sshd::wrong_known_hosts(std::uint16_t relay_port) {
  make_key(dir_ / "other_host_key", "ed25519");
  return write_known_hosts("wrong_known_hosts", dir_ / "other_host_key", relay_port);
}

std::filesystem::path sshd::empty_known_hosts() const {
  write_file(dir_ / "empty_known_hosts", "");
  return dir_ / "empty_known_hosts";
}

std::vector<std::string> sshd::client_options() const {
  return {"-F", "none",
          "-i", identity(),
          "-o", "Port=" + std::to_string(port_),
          "-o", "IdentitiesOnly=yes",
          "-o", "BatchMode=yes",
          "-o", "StrictHostKeyChecking=yes",
          "-o", "UserKnownHostsFile=" + known_hosts().string()};
}

}  // namespace ferryfs::test
