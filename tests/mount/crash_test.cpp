// ferryfs killed at any moment of a replication: what stands under a final name is right, and the next start goes on.
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int pictures = 3000;

std::string content(int number) {
  return noise(number % 50 == 0 ? 600'000 : 5'000 + static_cast<std::size_t>(number) * 7,
               static_cast<unsigned>(number));
}

void make_source(const fs::path& from) {
  for (int i = 0; i < pictures; ++i)
    write_old(from / ("202401" + std::to_string(10 + i % 20)) / (std::to_string(i) + ".jpg"), content(i));
}

nlohmann::json status_of(const fs::path& path) {
  return nlohmann::json::parse(run_ferryfs({"status", "--json", path}).out);
}

std::int64_t bytes_of(const tree& contents) {
  std::int64_t sum = 0;
  for (const auto& [path, bytes] : contents)
    if (bytes != "/") sum += static_cast<std::int64_t>(bytes.size());
  return sum;
}

}  // namespace

TEST_CASE("killed at twenty moments of a replication, it never leaves a wrong picture, and completes", "[slow]") {
  const ferry f;
  make_source(f.from);
  const auto right = contents_below(f.from);
  const unsigned seed = 20240101;
  INFO("seed " << seed);
  std::mt19937 dice(seed);
  mount_fixture mount(f.options({"--limit", "3M"}));  // so that all of it takes longer than the kills
  std::size_t before = 0;
  for (int kill = 0; kill < 20; ++kill) {
    INFO("kill " << kill);
    // A moment that the test does not choose by what it sees, but for the first: something must have been copied.
    const auto moment = std::chrono::steady_clock::now() + std::chrono::milliseconds(dice() % 2500);
    wait_until([&] { return std::chrono::steady_clock::now() >= moment; });
    mount.kill9();
    const auto here = contents_below(f.to);
    REQUIRE(difference(right, here, false) == "");
    CHECK(here.size() >= before);
    before = here.size();
    if (kill == 19) CHECK(before < right.size());
    mount.start();
  }
  CHECK(before > 100);  // it was killed while pictures landed, too
  const auto unlimited = run_ferryfs({"ctl", f.to, "limit", "0"});
  CHECK(unlimited.code == 0);
  CHECK(run_ferryfs({"status", f.to, "--wait", "60"}, 70s).code == 0);
  const auto s = status_of(mount.mountpoint());
  INFO(s.dump(2));
  CHECK(s["common"]["files"] == pictures);
  CHECK(s["common"]["bytes"] == bytes_of(right));
  CHECK(s["destination"]["bytes"] == bytes_of(right));
  for (const char* set : {"missing", "new", "conflict", "failed"}) CHECK(s[set]["files"] == 0);
  CHECK(difference(attributes_below(f.from), attributes_below(mount.mountpoint())) == "");
  CHECK(mount.stop() == 0);
  CHECK(difference(right, contents_below(f.to)) == "");
  CHECK(fs::is_empty(f.to / ".ferryfs/partial"));
  CHECK(status_of(f.to)["common"]["files"] == pictures);
}

TEST_CASE("a sync that was killed is taken up by the next", "[slow]") {
  const ferry f;
  make_source(f.from);
  const auto right = contents_below(f.from);
  std::mt19937 dice(7);
  const std::vector<std::string> command{
      FERRYFS_BINARY,      "sync",          f.server.url(f.from),  f.to, "--identity",
      f.server.identity(), "--known-hosts", f.server.known_hosts()};
  for (int kill = 0; kill < 10; ++kill) {
    process sync(command);
    sync.ended(std::chrono::milliseconds(dice() % 600));
    sync.signal(SIGKILL);
    sync.wait();
    REQUIRE(difference(right, contents_below(f.to), false) == "");
  }
  CHECK(run(command, 60s).code == 0);
  CHECK(difference(right, contents_below(f.to)) == "");
  CHECK(fs::is_empty(f.to / ".ferryfs/partial"));
}
