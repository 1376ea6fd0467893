// A server that is not there, does not let us in, or is not the one it should be.
#include <unistd.h>

#include <future>
#include <optional>

#include "tests/catch.hpp"
#include "tests/doubles/descriptor.hpp"
#include "tests/doubles/loopback.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/mount/mount_fixture.hpp"
#include "tests/mount/trees.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct place {
  temp_dir dir{"bad-server"};
  fs::path from = dir / "source";
  fs::path to = dir / "destination";
  sshd server;

  place() { write_old(from / "20240101/a.jpg", noise(1000)); }
  std::string host() const { return "127.0.0.1:" + std::to_string(server.port()); }
  process_result sync(const std::string& url, const fs::path& identity, const fs::path& known_hosts) const {
    return run_ferryfs({"sync", url, to, "--identity", identity, "--known-hosts", known_hosts, "--io-timeout", "5"});
  }
  void check_untouched() const { CHECK_FALSE(fs::exists(to)); }
};

}  // namespace

TEST_CASE("a closed port is refused in one line") {
  const place at;
  const auto port = free_port();
  const auto command = GENERATE(as<std::string>(), "sync", "mount");
  check_one_line(run_ferryfs({command, sshd::url(at.from, port), at.to, "--identity", at.server.identity(),
                              "--known-hosts", at.server.known_hosts()}),
                 source, "127.0.0.1:" + std::to_string(port));
  at.check_untouched();
}

TEST_CASE("a server that has one connection too many at first is asked again") {
  const temp_dir dir{"busy-server"};
  write_old(dir / "source/20240101/a.jpg", noise(1000));
  sshd_options options;
  options.config = {"MaxStartups 1"};
  const sshd server{options};
  std::optional<descriptor> other{connected_loopback(server.port())};
  // sshd counts it when it has taken it, which its greeting shows.
  char greeting[8];
  REQUIRE(::read(other->get(), greeting, sizeof greeting) > 0);
  auto sync = std::async(std::launch::async, [&] {
    return run_ferryfs({"sync", server.url(dir / "source"), dir / "destination", "--identity", server.identity(),
                        "--known-hosts", server.known_hosts()});
  });
  CHECK(wait_until([&] { return server.log().find("past MaxStartups") != std::string::npos; }));
  other.reset();
  CHECK(sync.get().code == 0);
}

TEST_CASE("a remote path that is not there, or is no directory, is refused in one line") {
  const place at;
  for (const auto& path : std::initializer_list<fs::path>{at.dir / "nowhere", at.from / "20240101/a.jpg"}) {
    check_one_line(at.sync(at.server.url(path), at.server.identity(), at.server.known_hosts()), source, path);
    at.check_untouched();
  }
}

TEST_CASE("a key that the server does not know is refused in one line") {
  place at;
  check_one_line(at.sync(at.server.url(at.from), at.server.unknown_identity(), at.server.known_hosts()), source,
                 at.host());
  check_one_line(at.sync(at.server.url(at.from), at.dir / "no-key", at.server.known_hosts()), source, "no-key");
  at.check_untouched();
}

TEST_CASE("a host that nobody vouches for is refused before any key is shown to it") {
  const place at;
  check_one_line(at.sync(at.server.url(at.from), at.server.identity(), at.server.empty_known_hosts()), source,
                 "ssh-keyscan");
  CHECK(at.server.logins() == 0);
  check_one_line(at.sync(at.server.url(at.from), at.server.identity(), at.dir / "no-file"), source, at.host());
  at.check_untouched();
}

TEST_CASE("a host whose key is not the known one is refused as changed") {
  place at;
  check_one_line(at.sync(at.server.url(at.from), at.server.identity(), at.server.wrong_known_hosts()), source,
                 "HOST KEY CHANGED");
  CHECK(at.server.logins() == 0);
  const auto known = at.dir / "known";
  fs::copy_file(at.server.known_hosts(), known);
  at.server.change_host_key();
  check_one_line(at.sync(at.server.url(at.from), at.server.identity(), known), source, "HOST KEY CHANGED");
  CHECK(at.server.logins() == 0);
  at.check_untouched();
}

TEST_CASE("a known_hosts file with hashed names is as good as any") {
  const place at;
  const auto result = at.sync(at.server.url(at.from), at.server.identity(), at.server.hashed_known_hosts());
  INFO(result.err);
  CHECK(result.code == complete);
  CHECK(difference(contents_below(at.from), contents_below(at.to)) == "");
}

TEST_CASE("a server that accepts the connection and says nothing is given up within the time limit") {
  place at;
  at.server.freeze();
  const auto begun = std::chrono::steady_clock::now();
  check_one_line(run_ferryfs({"sync", at.server.url(at.from), at.to, "--identity", at.server.identity(),
                              "--known-hosts", at.server.known_hosts(), "--io-timeout", "2"}),
                 source, at.host());
  CHECK(std::chrono::steady_clock::now() - begun < 6s);
  at.check_untouched();
}
