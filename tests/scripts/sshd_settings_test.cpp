// Settings that an administrator may have made in sshd_config, or in an account: ferryfs gets on with them, or says
// what is in the way.
#include <pwd.h>
#include <unistd.h>

#include "tests/doubles/loopback.hpp"
#include "tests/doubles/relay.hpp"
#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct place {
  temp_dir dir{"sshd-settings"};
  fs::path from = dir / "source", to = dir / "destination";
  sshd server;

  explicit place(std::vector<std::string> config, std::string sftp_command = {})
      : server({std::move(sftp_command), "ed25519", std::move(config)}) {
    for (int i = 0; i < 20; ++i) write_old(from / "20240101" / (std::to_string(i) + ".jpg"), noise(1000));
  }
  process_result sync() const { return run_ferryfs(sync_command(server, from, to)); }
  void check_complete() const {
    const auto result = sync();
    INFO(result.err);
    CHECK(result.code == complete);
    CHECK(difference(contents_below(from), contents_below(to)) == "");
  }
  void check_refused(const std::string& says) const {
    check_one_line(sync(), source, says);
    CHECK_FALSE(fs::exists(to));
  }
};

std::size_t times_rekeyed(const sshd& server) {
  const auto log = server.log();
  std::size_t times = 0;
  for (auto at = log.find("set_newkeys: rekeying"); at != std::string::npos;
       at = log.find("set_newkeys: rekeying", at + 1))
    ++times;
  return times;
}

// A directory that sshd takes for a chroot: root's alone, on every level.
struct chroot_directory {
  fs::path path = "/run/ferryfs-chroot-" + std::to_string(::getpid());
  chroot_directory() {
    if (::geteuid() != 0) skip("only root makes a chroot");
    fs::create_directory(path);
    fs::permissions(path, fs::perms{0755});
  }
  ~chroot_directory() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

// An account of this machine, for as long as the test takes.
struct account {
  std::string name = "ferryfs" + std::to_string(::getpid() % 100'000);
  account() {
    if (::geteuid() != 0) skip("only root makes an account");
    // A password that nobody has; one that begins with '!' would lock the account.
    const auto made = run({"useradd", "--no-create-home", "--shell", "/bin/sh", "--password", "*", name});
    if (made.code != 0) skip("useradd: " + made.err);
  }
  ~account() { run({"userdel", name}); }

  // sshd reads key files as the account's user, who can't enter the test's directories.
  void check_refused(const std::string& setting, const std::string& says) const {
    const temp_dir keys("keys");
    const place at({setting, "AuthorizedKeysCommand /bin/cat " + (keys / "authorized_keys").string(),
                    "AuthorizedKeysCommandUser root"});
    write_file(keys / "authorized_keys", read_file(at.server.identity().string() + ".pub"));
    const std::string url = "sftp://" + name + "@127.0.0.1:" + std::to_string(at.server.port()) + "/tmp";
    check_one_line(
        run_ferryfs({"sync", url, at.to, "--identity", at.server.identity(), "--known-hosts", at.server.known_hosts()}),
        source, says);
  }
};

}  // namespace

TEST_CASE("new keys are agreed upon in the middle of a transfer, either way") {
  const auto delay = GENERATE(0us, 10'000us);
  place at({"RekeyLimit 1M", "LogLevel DEBUG1"});
  for (int i = 0; i < 24; ++i)
    write_old(at.from / "20240102" / (std::to_string(i) + ".jpg"), noise(500'000, static_cast<unsigned>(i)));
  relay line{{.listen = 0, .port = at.server.port(), .delay = delay}};
  const auto synced = run_ferryfs({"sync", sshd::url(at.from, line.port()), at.to, "--identity", at.server.identity(),
                                   "--known-hosts", at.server.known_hosts(line.port())});
  INFO(synced.err);
  CHECK(synced.code == complete);
  CHECK(difference(contents_below(at.from), contents_below(at.to)) == "");
  CHECK(times_rekeyed(at.server) > 5);
  const auto before_push = times_rekeyed(at.server);
  for (int i = 0; i < 24; ++i)
    write_old(at.to / "20240103" / (std::to_string(i) + ".jpg"), noise(500'000, static_cast<unsigned>(100 + i)));
  const auto pushed = run_ferryfs({"push", at.to});
  INFO(pushed.out << pushed.err);
  CHECK(pushed.code == complete);
  CHECK(difference(contents_below(at.from), contents_below(at.to)) == "");
  CHECK(times_rekeyed(at.server) > before_push + 5);
}

TEST_CASE("a server that lets in one login at a time, or one session a connection, is enough") {
  place at({GENERATE(as<std::string>(), "MaxStartups 1", "MaxSessions 1")});
  at.check_complete();
  write_old(at.to / "20240102/new.jpg", "new");
  CHECK(run_ferryfs({"push", at.to}).code == complete);
  CHECK(run_ferryfs({"verify", "--source", at.to}).code == complete);
}

TEST_CASE("a server that has too many logins says nothing; what may be the cause is said") {
  const place at({"MaxStartups 1"});
  const auto other = connected_loopback(at.server.port());
  REQUIRE(wait_until([&] { return at.server.connections() == 1; }));
  at.check_refused("MaxStartups");
}

TEST_CASE("a server that opens no session is refused with the option's name") {
  place({"MaxSessions 0"}).check_refused("check MaxSessions");
}

TEST_CASE("a banner before the login is no answer to anything") {
  const temp_dir dir("banner");
  write_file(dir / "banner", "Authorized uses only.\nAll activity may be monitored.\n");
  place({"Banner " + (dir / "banner").string()}).check_complete();
}

TEST_CASE("an account in a chroot, with no shell and no programs, is enough for the way there and back") {
  const chroot_directory jail;
  for (int i = 0; i < 20; ++i) write_old(jail.path / "pictures/20240101" / (std::to_string(i) + ".jpg"), noise(1000));
  fs::create_symlink("20240101/1.jpg", jail.path / "pictures/last.jpg");
  const place at({"ChrootDirectory " + jail.path.string(), "ForceCommand internal-sftp"}, "internal-sftp");
  const auto synced = run_ferryfs(sync_command(at.server, "/pictures", at.to));
  INFO(synced.err);
  CHECK(synced.code == complete);
  CHECK(difference(contents_below(jail.path / "pictures"), contents_below(at.to)) == "");
  write_old(at.to / "20240102/new.jpg", "new");
  fs::create_symlink("new.jpg", at.to / "20240102/link.jpg");
  const auto pushed = run_ferryfs({"push", at.to});
  INFO(pushed.out << pushed.err);
  CHECK(pushed.code == complete);
  CHECK(run_ferryfs({"ready", at.to}).code == complete);
  CHECK(difference(contents_below(jail.path / "pictures"), contents_below(at.to)) == "");
}

TEST_CASE("what a shell's start-up file prints is named as what stands before the server's packets") {
  const temp_dir home("home");
  const auto [line, says] = GENERATE(table<std::string, std::string>(
      {{"echo Welcome to this server", "it sends the text 'Welcome to this server' first"},
       {"echo hi", "it sends the text 'hi' first"},
       {"echo", "it sends the text 'an empty line' first"}}));
  write_file(home / ".bashrc", line + "\n");
  const passwd* const self = ::getpwuid(::geteuid());
  if (self == nullptr || fs::path(self->pw_shell).filename() != "bash") skip("this account's shell is not bash");
  place({"SetEnv HOME=" + home.path().string()}).check_refused(says);
}

TEST_CASE("what it prints where errors go is in nobody's way") {
  const temp_dir home("home");
  write_file(home / ".bashrc", "echo Welcome >&2\n");
  place({"SetEnv HOME=" + home.path().string()}).check_complete();
}

TEST_CASE("an account that wants a password is refused in one line that says so") {
  const auto wanted =
      GENERATE(as<std::string>(), "PubkeyAuthentication no", "AuthenticationMethods publickey,password");
  place({wanted, "PasswordAuthentication yes"}).check_refused("but password; ferryfs logs in with a key");
}

TEST_CASE("an account that has expired, or its password, is refused in one line that says so") {
  const account expired;
  const auto [option, value, says] = GENERATE(table<std::string, std::string, std::string>(
      {{"--lastday", "0", "password may have expired"}, {"--expiredate", "2020-01-01", "account may have expired"}}));
  REQUIRE(run({"chage", option, value, expired.name}).code == 0);
  expired.check_refused("UsePAM yes", says);
}

TEST_CASE("an account without a shell is refused in one line that shows what it says") {
  const account shut;
  REQUIRE(run({"usermod", "--shell", "/usr/sbin/nologin", shut.name}).code == 0);
  shut.check_refused("UsePAM no", "the account's shell must be one");
}
