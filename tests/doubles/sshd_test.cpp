#include "tests/doubles/sshd.hpp"

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/process_tree.hpp"
#include "tests/doubles/relay.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> command(const std::string& program, const std::vector<std::string>& options,
                                 const std::vector<std::string>& more) {
  std::vector<std::string> words{program};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(sshd::user() + "@127.0.0.1");
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

process_result ssh(const sshd& server, const std::vector<std::string>& more, std::vector<std::string> extra = {}) {
  // The first of two equal options counts for ssh.
  const auto standard = server.client_options();
  extra.insert(extra.end(), standard.begin(), standard.end());
  return run(command("ssh", extra, more), 20s);
}

}  // namespace

TEST_CASE("sshd lets its identity in, for commands and for files") {
  const sshd server;
  CHECK(ssh(server, {"echo", "hello"}).out == "hello\n");

  const temp_dir dir;
  write_file(dir / "there/picture.jpg", std::string(300'000, 'p'));
  write_file(dir / "batch", "get " + (dir / "there/picture.jpg").string() + ' ' + (dir / "here.jpg").string() + '\n');
  auto options = server.client_options();
  options.insert(options.end(), {"-b", dir / "batch"});
  const auto result = run(command("sftp", options, {}));
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(read_file(dir / "here.jpg") == std::string(300'000, 'p'));
  CHECK(server.logins() == 2);
  CHECK(server.url("/a/b") == "sftp://" + sshd::user() + "@127.0.0.1:" + std::to_string(server.port()) + "/a/b");
}

TEST_CASE("sshd takes ecdsa keys where it is told to") {
  sshd_options options;
  options.key_type = "ecdsa";
  const sshd server(options);
  CHECK(ssh(server, {"true"}).code == 0);
}

TEST_CASE("refusals can be provoked") {
  sshd server;
  const auto with_hosts = [&](const std::filesystem::path& file) {
    return ssh(server, {"true"}, {"-o", "UserKnownHostsFile=" + file.string(), "-o", "GlobalKnownHostsFile=none"});
  };
  CHECK(with_hosts(server.known_hosts()).code == 0);
  CHECK(with_hosts(server.hashed_known_hosts()).code == 0);
  CHECK(read_file(server.hashed_known_hosts()).starts_with("|1|"));
  CHECK_THAT(with_hosts(server.wrong_known_hosts()).err, contains_text("IDENTIFICATION HAS CHANGED"));
  CHECK_THAT(with_hosts(server.empty_known_hosts()).err, contains_text("Host key verification failed"));
  CHECK_THAT(ssh(server, {"true"}, {"-F", "none", "-i", server.unknown_identity(), "-o", "IdentityFile=none"}).err +
                 run({"ssh", "-F", "none", "-i", server.unknown_identity(), "-o", "IdentitiesOnly=yes", "-o",
                      "BatchMode=yes", "-o", "UserKnownHostsFile=" + server.known_hosts().string(), "-p",
                      std::to_string(server.port()), sshd::user() + "@127.0.0.1", "true"})
                     .err,
             contains_text("Permission denied"));

  const auto old_hosts = server.known_hosts().string() + ".old";
  std::filesystem::copy_file(server.known_hosts(), old_hosts);
  server.change_host_key();
  CHECK_THAT(with_hosts(old_hosts).err, contains_text("IDENTIFICATION HAS CHANGED"));
  CHECK(with_hosts(server.known_hosts()).code == 0);
}

TEST_CASE("known_hosts can name a relay") {
  const sshd server;
  relay_options link_options;
  link_options.port = server.port();
  link_options.delay = 2ms;
  relay link(link_options);
  const auto result = ssh(server, {"true"},
                          {"-o", "Port=" + std::to_string(link.port()), "-o",
                           "UserKnownHostsFile=" + server.known_hosts(link.port()).string()});
  CHECK(result.code == 0);
  CHECK(link.counts().accepted == 1);
}

TEST_CASE("sshd runs the subsystem it is given") {
  sshd_options options;
  options.sftp_command = std::string(FERRYFS_ROGUE_SFTP) + " good";
  const sshd server(options);
  const temp_dir dir;
  write_file(dir / "batch", "ls -1 /archive\n");
  auto client = server.client_options();
  client.insert(client.end(), {"-b", dir / "batch"});
  CHECK_THAT(run(command("sftp", client, {})).out, contains_text("/archive/20240102"));
}

TEST_CASE("sshd and all that serves a connection can be frozen") {
  sshd server;
  process_options options;
  options.pipe_stdin = true;
  process cat(command("ssh", server.client_options(), {"cat"}), options);
  cat.write("one ");
  REQUIRE(wait_until([&] { return cat.out() == "one "; }));
  CHECK(server.connections() == 1);

  server.freeze();
  cat.write("two");
  CHECK_FALSE(wait_until([&] { return cat.out() != "one "; }, 200ms));
  server.thaw();
  CHECK(wait_until([&] { return cat.out() == "one two"; }));
  cat.close_stdin();
  CHECK(cat.wait().code == 0);
  CHECK(wait_until([&] { return server.connections() == 0; }));
}

TEST_CASE("sshd stops with its connections and comes back on its port, also when frozen") {
  sshd server;
  const auto port = server.port();
  process sleeper(command("ssh", server.client_options(), {"echo up; sleep 600"}));
  REQUIRE(wait_until([&] { return sleeper.out() == "up\n"; }));
  if (GENERATE(false, true)) server.freeze();
  server.stop();
  CHECK(sleeper.wait(5s).code == 255);
  CHECK_FALSE(sleeper.wait().timed_out);
  CHECK_THAT(ssh(server, {"true"}).err, contains_text("refused"));
  server.start();
  CHECK(server.port() == port);
  CHECK(ssh(server, {"true"}).code == 0);
}

TEST_CASE("nothing of sshd stays") {
  std::vector<pid_t> pids;
  std::filesystem::path dir;
  {
    sshd server;
    dir = server.identity().parent_path();
    process sleeper(command("ssh", server.client_options(), {"echo up; sleep 600"}));
    REQUIRE(wait_until([&] { return sleeper.out() == "up\n"; }));
    server.freeze();
    pids = descendants_of(::getpid());
    CHECK(pids.size() >= 4);  // sshd, its child, the command, ssh
  }
  for (const pid_t pid : pids) {
    INFO(described(pid));
    CHECK(wait_until([&] { return state_of(pid) == 0 || state_of(pid) == 'Z'; }));
  }
  CHECK_FALSE(std::filesystem::exists(dir));
}
