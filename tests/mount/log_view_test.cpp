// The archive's log: a file in the mount, and `ferryfs log`, mounted or not.
#include <sys/stat.h>

#include <csignal>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// In the background, where it logs; over the destination or elsewhere.
mount_options daemon_of(const ferry& f, bool over) {
  auto o = f.options();
  o.foreground = false;
  if (over) o.mountpoint.clear();
  return o;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
std::string log_of(const fs::path& path) { return out_of({FERRYFS_BINARY, "log", path}); }

}  // namespace

TEST_CASE("the log is a file of the mount, and grows while it is read") {
  const bool over = GENERATE(true, false);
  const ferry f;
  write_old(f.from / "day/1.jpg", noise(1000));
  mount_fixture mount(daemon_of(f, over));
  const fs::path log = mount / ".ferryfs/log";
  const std::string scanned = "scan of the source complete";
  REQUIRE(wait_until([&] { return fs::exists(log) && holds(read_file(log), scanned); }));
  struct stat shown {};
  REQUIRE(::stat(log.c_str(), &shown) == 0);
  CHECK(shown.st_size == static_cast<off_t>(read_file(log).size()));
  CHECK((shown.st_mode & 07777) == 0400);
  CHECK_FALSE(fs::exists(mount / ".ferryfs/log.1"));
  for (const auto& path : {mount.mountpoint(), mount / "day", f.to}) CHECK(log_of(path) == read_file(log));

  process tail({"tail", "-n", "+1", "-F", log});
  process own({FERRYFS_BINARY, "log", "-f", f.to});
  REQUIRE(wait_until([&] { return holds(tail.out(), scanned) && holds(own.out(), scanned); }));
  const auto twice = [&](const process& p) {
    const std::string text = p.out();
    return holds(text.substr(text.find(scanned) + 1), scanned);
  };
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
  CHECK(wait_until([&] { return twice(tail) && twice(own); }));
  tail.signal(SIGTERM);
  CHECK(tail.ended(5s));

  // Taking the mount off is not kept from it, and it goes on with what a sync writes.
  CHECK(run({"umount", mount.mountpoint()}).code == 0);
  CHECK(wait_until([&] { return !mount.runs(); }));
  CHECK(run_ferryfs(sync_command(f.server, f.from, f.to)).code == complete);
  CHECK(wait_until([&] { return holds(own.out(), "sync ends: "); }));
  own.signal(SIGINT);
  CHECK(own.ended(5s));
  CHECK(own.out() == log_of(f.to));
  CHECK(own.out() == read_file(f.to / ".ferryfs/log"));
}

TEST_CASE("a sync logs what it does, and the log has nothing to steer a terminal by") {
  const ferry f;
  write_old(f.from / "day/1.jpg", noise(1000));
  check_one_line(run_ferryfs({"log", f.from}), usage, "not in a ferryfs archive");
  CHECK(run_ferryfs(sync_command(f.server, f.from, f.to)).code == complete);
  const std::string text = log_of(f.to);
  CHECK_THAT(text, contains_text("sync from " + f.server.url(f.from) + " begins\n"));
  CHECK_THAT(text, contains_text("sync ends: 100.0 %"));
  write_file(f.to / ".ferryfs/log", "1\x1b[2J\n2");
  CHECK(log_of(f.to) == "1\\x1b[2J\n2\n");
  fs::remove(f.to / ".ferryfs/log");
  check_one_line(run_ferryfs({"log", f.to}), local, "there is no log yet");
}
