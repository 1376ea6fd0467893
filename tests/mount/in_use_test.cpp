// An archive that somebody works on: whoever comes second is told who it is and what to do, wherever the mount stands.
#include <sys/mount.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct busy : ferry {
  busy() { write_old(from / "day/1.jpg", noise(1000)); }
  mount_options over() const {
    auto o = options(still);
    o.mountpoint.clear();
    return o;
  }
  std::vector<std::string> sync_to(const fs::path& where) const { return sync_command(server, from, where); }
};

void check_in_use(const process_result& r, const std::string& says) {
  check_one_line(r, local, "the archive is in use (");
  CHECK_THAT(r.err, contains_text(says));
  CHECK(r.err.find("paused") == std::string::npos);
}

// A tmpfs for the destination, so that something else than ferryfs is mounted there.
class own_disk {
 public:
  explicit own_disk(const fs::path& at) : at_(at) {
    fs::create_directories(at);
    REQUIRE(::mount("tmpfs", at.c_str(), "tmpfs", 0, "mode=755") == 0);
  }
  ~own_disk() { ::umount2(at_.c_str(), MNT_DETACH); }

 private:
  fs::path at_;
};

// A mount namespace with a copy of all that is mounted now, as a container has one. Ends with this.
class other_namespace {
 public:
  explicit other_namespace(const std::string& held)
      : sleeper_({"unshare", "-m", "--propagation", "private", "sleep", "600"}) {
    const bool has_it =
        wait_until([&] { return mountinfo().find(held) != std::string::npos && name() == "sleep\n"; }, 5s);
    if (!has_it && sleeper_.ended()) skip("unshare -m: " + sleeper_.err());
    REQUIRE(has_it);
  }
  pid_t pid() const { return sleeper_.pid(); }
  std::string mountinfo() const { return read("mountinfo"); }

 private:
  std::string name() const { return read("comm"); }
  std::string read(const std::string& what) const {
    std::ifstream in{"/proc/" + std::to_string(sleeper_.pid()) + "/" + what};
    return {std::istreambuf_iterator<char>(in), {}};
  }
  process sleeper_;
};

void take_off(const mount_fixture& mount) {
  REQUIRE(run({"umount", mount.mountpoint()}).code == 0);
  REQUIRE_FALSE(mount.mounted());
}

}  // namespace

TEST_CASE("sync onto a mounted archive says that it is in use, by its destination and by its mountpoint") {
  const busy b;
  SECTION("mounted over the destination") {
    mount_fixture mount(b.over());
    mount.expect_log(still_says);
    check_in_use(run_ferryfs(b.sync_to(b.to)), "ferryfs is mounted there");
  }
  SECTION("mounted elsewhere") {
    mount_fixture mount(b.options(still));
    mount.expect_log(still_says);
    check_in_use(run_ferryfs(b.sync_to(b.to)), "ferryfs, pid " + std::to_string(mount.pid()) + ", mounted at " +
                                                   mount.mountpoint().string() + "; umount it first");
    check_in_use(run_ferryfs(b.sync_to(mount.mountpoint())), "ferryfs is mounted there");
  }
}

TEST_CASE("while a sync works, status and a second sync name it") {
  const busy b;
  write_old(b.from / "day/2.jpg", noise(3'000'000));
  auto words = b.sync_to(b.to);
  words.insert(words.begin(), FERRYFS_BINARY);
  words.insert(words.end(), {"--limit", "100K"});
  process first(words);
  const std::string who = "ferryfs, pid " + std::to_string(first.pid());
  REQUIRE(wait_until([&] { return fs::exists(b.to / "day/1.jpg"); }));
  check_in_use(run_ferryfs(b.sync_to(b.to)), who + "; wait for it to end");
  CHECK_THAT(run_ferryfs({"status", b.to}).out, contains_text("in use       " + who));
  first.signal(SIGINT);
  CHECK(first.ended(5s));
  CHECK(run_ferryfs({"status", b.to}).out.find("in use") == std::string::npos);
}

TEST_CASE("a mount that another mount namespace still holds is told of, with who holds it and what ends it",
          "[alone]") {
  const busy b;
  const own_disk disk{b.to};
  mount_fixture mount(b.over());
  for (const char* says : {still_says.c_str(), "in use"}) mount.expect_log(says);
  std::optional<other_namespace> other{mount.mountpoint()};
  const std::string by = "sleep (pid " + std::to_string(other->pid()) + ")";
  const pid_t ferryfs = mount.pid();
  take_off(mount);
  REQUIRE(mount.runs());

  const auto status = run_ferryfs({"status", b.to});
  CHECK_THAT(status.out, contains_text("in use       ferryfs, pid " + std::to_string(ferryfs)));
  CHECK_THAT(status.out, contains_text(by));
  const auto j = nlohmann::json::parse(run_ferryfs({"status", "--json", b.to}).out);
  CHECK(j["in_use"]["pid"] == ferryfs);
  CHECK(j["in_use"]["elsewhere"][0]["pid"] == other->pid());
  CHECK(j["in_use"]["elsewhere"][0]["command"] == "sleep");
  for (const auto& r :
       {run_ferryfs(b.sync_to(b.to)), run_ferryfs({"mount", b.server.url(b.from), b.to, "--identity",
                                                   b.server.identity(), "--known-hosts", b.server.known_hosts()})}) {
    check_in_use(r, by);
    CHECK_THAT(r.err, contains_text("kill " + std::to_string(ferryfs)));
  }
  SECTION("when those have ended, ferryfs ends") {
    other.reset();
    CHECK(wait_until([&] { return !mount.runs(); }, 20s));
  }
  SECTION("or when it is told to, and takes nothing off that is not its own") {
    mount.signal(SIGTERM);
    CHECK(wait_until([&] { return !mount.runs(); }, 30s));
  }
  CHECK(fs::exists(b.to / ".ferryfs/index.db"));
  CHECK(run({"mountpoint", "-q", b.to}).code == 0);
  CHECK(run_ferryfs({"status", b.to}).out.find("in use") == std::string::npos);
}

TEST_CASE("a mount that is just starting, or just ending, is told of as that", "[alone]") {
  const busy b;
  // As such a ferryfs holds it: by the lock, with this text in it.
  fs::create_directories(b.to / ".ferryfs");
  const fs::path lock = b.to / ".ferryfs/lock";
  auto sync = b.sync_to(b.to);
  sync.insert(sync.begin(), {"flock", lock, FERRYFS_BINARY});
  SECTION("starting: the mount does not stand yet") {
    write_file(lock, "pid 123, mounted at /nowhere");
    check_in_use(run(sync), "ferryfs, pid 123, is being mounted at /nowhere; wait for it");
  }
  SECTION("ending: it stands nowhere any more") {
    write_file(lock, "pid 1, device 0:999999, mounted at /nowhere");
    // By themselves they may look at all processes that there are.
    sync.insert(sync.begin(), {"unshare", "--pid", "--fork", "--mount-proc"});
    const auto refused = run(sync);
    if (refused.err.starts_with("unshare: ")) skip(refused.err);
    check_in_use(refused,
                 "ferryfs, pid 1: its mount at /nowhere was unmounted and it is ending; wait for it, or end "
                 "ferryfs with kill 1");
  }
  SECTION("it is not to be seen whether it stands in another mount namespace") {
    // Nor is its process, which runs in another container.
    write_file(lock, "pid 999999999, device 0:999999, mounted at /nowhere");
    check_in_use(run(sync), "its mount at /nowhere can't be seen from here, nor who holds it");
  }
}
