// A source directory whose file system does not answer, as of an sshfs whose server is gone: nobody waits for it longer
// than --io-timeout, neither who ends the mount, and all heals by itself.
#include <csignal>
#include <optional>

#include "tests/doubles/hung_mount.hpp"
#include "tests/doubles/mounts.hpp"
#include "tests/doubles/process_tree.hpp"
#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr auto io_timeout = 2s;
constexpr auto fast = 1s;
constexpr auto soon = 6s;

std::string picture(int day) { return std::to_string(day) + "/a.jpg"; }

// Ten days; the picture of the first is local, all else is not.
void put_pictures(const fs::path& at) {
  for (int day = 10; day < 20; ++day) write_old(at / picture(day), noise(300'000, static_cast<std::uint64_t>(day)));
}

bool is_scanned(const mount_fixture& m) {
  return wait_until(
      [&] { return read_file(m / ".ferryfs/status.json").find("\"scanning\": false") != std::string::npos; });
}

// One ferryfs serves the source of another, and is stopped: whoever asks it waits in the kernel.
struct frozen_source {
  temp_dir dir{"hung"};
  std::optional<mount_fixture> source, mount;
  bool frozen = false;

  frozen_source() {
    put_pictures(dir / "old");
    mount_options below;
    below.source = dir / "old", below.destination = dir / "between", below.mountpoint = dir / "source";
    below.arguments = still;
    source.emplace(below);
    mount_options above;
    above.source = dir / "source", above.destination = dir / "new", above.mountpoint = dir / "mountpoint";
    above.arguments = {"--paused", "--io-timeout", "2"};
    mount.emplace(above);
    for (auto* m : {&*source, &*mount})
      for (const char* says : {"is blocked", "paused", "answer", "unreachable", "reachable"}) m->expect_log(says);
    REQUIRE((read_file(*mount / picture(10)) == noise(300'000, 10)));
    REQUIRE(wait_until([&] { return attribute(*mount / picture(10)) == "local"; }));
    REQUIRE(is_scanned(*mount));
  }
  ~frozen_source() {
    if (frozen) thaw();
    mount.reset();
  }
  void freeze() {
    const pid_t pid = source->pid();
    ::kill(pid, SIGSTOP);
    frozen = true;
    REQUIRE(wait_until([&] { return state_of(pid) == 'T'; }));
  }
  void thaw() {
    ::kill(source->pid(), SIGCONT);
    frozen = false;
  }
  process_result cat(int day) const { return run({"cat", *mount / picture(day)}, 10s); }
  std::string destination() const { return mount->destination(); }
};

void check_here_is_fast(const frozen_source& it) {
  const auto point = it.mount->mountpoint();
  CHECK(time_of([&] { CHECK(out_of({"ls", "-lR", point}).find("a.jpg") != std::string::npos); }) < fast);
  CHECK(time_of([&] { CHECK_FALSE(out_of({"df", point}).empty()); }) < fast);
  CHECK(time_of([&] { CHECK((it.cat(10).out == noise(300'000, 10))); }) < fast);
}

void check_missing_fails(const frozen_source& it, int day) {
  const auto took = time_of([&] {
    const auto read = it.cat(day);
    CHECK_FALSE(read.timed_out);
    CHECK(read.code == 1);
  });
  CHECK(took < io_timeout + 1s);
}

void check_one_line(const process_result& said, const char* text) {
  INFO(said.err);
  CHECK_FALSE(said.timed_out);
  CHECK(said.code == 3);
  CHECK_THAT(said.err, contains_text(text));
  CHECK(std::count(said.err.begin(), said.err.end(), '\n') == 1);
}

void check_heals(const frozen_source& it) {
  CHECK(wait_until([&] { return it.cat(15).out == noise(300'000, 15); }, 20s));
  CHECK(wait_until([&] {
    return run_ferryfs({"status", it.mount->mountpoint()}).out.find("UNREACHABLE") == std::string::npos;
  }));
}

}  // namespace

TEST_CASE("with its source directory hung, what is here works and what is missing fails in time, until it answers") {
  frozen_source it;
  it.freeze();
  check_here_is_fast(it);
  check_missing_fails(it, 11);
  check_missing_fails(it, 12);
  check_here_is_fast(it);
  const auto status = run_ferryfs({"status", it.mount->mountpoint()}, 5s).out;
  CHECK_THAT(status, contains_text("UNREACHABLE"));
  CHECK_THAT(status, contains_text("does not answer"));
  check_one_line(run_ferryfs({"scan", it.mount->mountpoint()}, 10s), "the source does not answer");
  it.thaw();
  check_heals(it);
  CHECK(run_ferryfs({"scan", it.mount->mountpoint()}, 20s).code == 0);
}

TEST_CASE("a mount whose source directory hangs ends at once, and the next one stands without it") {
  frozen_source it;
  it.freeze();
  process reader({"cat", *it.mount / picture(11)});
  CHECK_FALSE(reader.ended(300ms));
  SECTION("by SIGTERM") {
    CHECK(time_of([&] { CHECK(it.mount->stop(soon) == 0); }) < soon);
  }
  SECTION("by umount, once nobody reads") {
    reader.kill_group();
    REQUIRE(reader.ended(5s));
    CHECK(run({"umount", it.mount->mountpoint()}, 5s).code == 0);
    CHECK(wait_until([&] { return !it.mount->runs(); }, soon));
  }
  const auto took = time_of([&] { it.mount->start(); });
  CHECK(took < io_timeout + soon);
  check_here_is_fast(it);
  check_missing_fails(it, 11);
  CHECK_THAT(run_ferryfs({"status", it.mount->mountpoint()}, 5s).out, contains_text("does not answer"));
  it.thaw();
  check_heals(it);
}

TEST_CASE("commands without a mount say that the source directory does not answer") {
  frozen_source it;
  CHECK(it.mount->stop() == 0);
  it.freeze();
  check_one_line(run_ferryfs({"scan", it.destination()}, 15s), "the source does not answer");
  check_one_line(run_ferryfs({"sync", it.dir / "source", it.destination(), "--io-timeout", "1"}, 15s),
                 "the source does not answer");
  check_one_line(run_ferryfs({"mount", it.dir / "source", it.dir / "another", "--io-timeout", "1"}, 15s),
                 "the source does not answer");
  CHECK_FALSE(fs::exists(it.dir / "another/.ferryfs"));
  const auto begun = std::chrono::steady_clock::now();
  CHECK(run_ferryfs({"skip", fs::path(it.destination()) / picture(12)}, 15s).code == 0);  // it asks no source
  CHECK(std::chrono::steady_clock::now() - begun < io_timeout);
  it.thaw();
  CHECK(run_ferryfs({"scan", it.destination()}, 20s).code == 1);
}

TEST_CASE("a mount ends though what asks its source for it can't be killed, and the next one stands") {
  temp_dir dir{"hung"};
  put_pictures(dir / "source");
  fs::create_directories(dir / "mountpoint");
  need_fuse();
  const std::vector<std::string> command{FERRYFS_BINARY, "mount", dir / "source", dir / "new", dir / "mountpoint",
                                         "--io-timeout", "60",    "--paused",     "-f"};
  const auto stands = [&] { return wait_until([&] { return fs::exists(dir / "mountpoint/.ferryfs/status.json"); }); };
  std::optional<hung_mount> hung;
  std::vector<pid_t> askers;
  const auto stuck = [&] { return std::count_if(askers.begin(), askers.end(), is_dying); };
  {
    process mount(command);
    REQUIRE(stands());
    REQUIRE(wait_until([&] { return fs::exists(dir / "mountpoint" / picture(10)); }));
    REQUIRE((read_file(dir / "mountpoint" / picture(10)) == noise(300'000, 10)));
    hung.emplace(dir / "source", hung_mount::who_waits::can_not_be_killed);
    process reader({"cat", dir / "mountpoint" / picture(11)});
    REQUIRE(wait_until([&] { return hung->taken() > 0; }));
    askers = children_of(mount.pid());
    reader.kill_group();
    mount.signal(SIGTERM);
    CHECK(mount.ended(soon));
    CHECK(stuck() > 0);
    CHECK(mounts_below(dir / "mountpoint").empty());
  }
  hung->detach();  // the source is mounted anew; what asked the old one still hangs
  process next(command);
  REQUIRE(stands());
  CHECK(wait_until([&] { return run({"cat", dir / "mountpoint" / picture(11)}, 5s).code == 0; }));
  next.signal(SIGTERM);
  CHECK(next.ended(soon));
  CHECK(stuck() > 0);
  hung->end();
  CHECK(wait_until(
      [&] { return std::none_of(askers.begin(), askers.end(), [](pid_t p) { return state_of(p) == 'D'; }); }));
}
