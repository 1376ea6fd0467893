// A source that does not answer: all that is here works as before, what is not fails in time, and all heals by itself.
#include <fcntl.h>

#include <functional>
#include <optional>

#include "tests/doubles/relay.hpp"
#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr auto io_timeout = 2s;
constexpr auto fast = 1s;

// Fifty days; a.jpg of the first is local, all else is not.
struct frozen {
  ferry f;
  std::optional<relay> link;
  std::optional<mount_fixture> mount;

  frozen() {
    for (int day = 10; day < 60; ++day)
      for (const char* name : {"a.jpg", "b.jpg"})
        write_old(f.from / std::to_string(day) / name, noise(300'000, static_cast<std::uint64_t>(day)));
    relay_options near;
    near.port = f.server.port();
    near.delay = 0us;
    link.emplace(near);
    auto arguments = still;
    arguments.insert(arguments.end(), {"--io-timeout", "2"});
    mount.emplace(f.options(arguments, link->port()));
    for (const char* said : {"is blocked", "timeout", "imed out", "silent", "reach", "lost", "answer"})
      mount->expect_log(said);
    REQUIRE((read_file(*mount / "10/a.jpg") == noise(300'000, 10)));
    REQUIRE(wait_until([&] { return attribute(*mount / "10/a.jpg") == "local"; }));
    // All is scanned, though nobody has looked at it through the mount.
    REQUIRE(wait_until(
        [&] { return read_file(*mount / ".ferryfs/status.json").find("\"scanning\": false") != std::string::npos; }));
  }

  // errno of a read, 0 where it went well; asked in a process that can be killed.
  process_result cat(const fs::path& picture, std::chrono::milliseconds within = 10s) const {
    return run({"cat", *mount / picture}, within);
  }
  bool heals() const {
    return wait_until([&] { return cat("11/a.jpg").out == noise(300'000, 11); }, 25s);
  }
};

void check_here_is_fast(const frozen& it) {
  const auto point = it.mount->mountpoint();
  CHECK(time_of([&] { CHECK(out_of({"ls", "-lR", point}).size() > 3000); }) < fast);
  CHECK(time_of([&] { CHECK(out_of({"find", point, "-name", "b.jpg", "-size", "+0"}).size() > 500); }) < fast);
  CHECK(time_of([&] { CHECK_FALSE(out_of({"df", point}).empty()); }) < fast);
  CHECK(time_of([&] { CHECK((it.cat("10/a.jpg").out == noise(300'000, 10))); }) < fast);
  CHECK(time_of([&] { CHECK(run_ferryfs({"status", point}).code == 1); }) < fast);
}

void check_frozen(frozen& it, const std::function<void()>& thaw) {
  check_here_is_fast(it);
  const auto took = time_of([&] {
    const auto read = it.cat("20/a.jpg");
    CHECK_FALSE(read.timed_out);
    CHECK(read.code == 1);
    CHECK(read.out.empty());
  });
  CHECK(took > 500ms);
  CHECK(took < io_timeout + 1s);
  // By now the source is known to be down.
  CHECK(time_of([&] { CHECK(it.cat("21/a.jpg").code == 1); }) < io_timeout + 1s);
  check_here_is_fast(it);
  CHECK_THAT(run_ferryfs({"status", it.mount->mountpoint()}).out, contains_text("UNREACHABLE"));
  thaw();
  CHECK(it.heals());
  CHECK((it.cat("20/a.jpg").out == noise(300'000, 20)));
}

}  // namespace

TEST_CASE("with sshd frozen, what is here works and what is missing fails in time, until it goes on") {
  frozen it;
  it.f.server.freeze();
  check_frozen(it, [&] { it.f.server.thaw(); });
}

TEST_CASE("with the line dead, what is here works and what is missing fails in time, until it is back") {
  frozen it;
  it.link->stall();
  check_frozen(it, [&] { it.link->go(); });
}

TEST_CASE("twenty readers that wait for a frozen source hold nobody up") {
  frozen it;
  it.f.server.freeze();
  std::vector<process> readers;
  for (int day = 20; day < 40; ++day)
    readers.emplace_back(std::vector<std::string>{"cat", *it.mount / std::to_string(day) / "a.jpg"});
  CHECK_FALSE(readers.back().ended(300ms));
  check_here_is_fast(it);
  for (auto& reader : readers) {
    const auto result = reader.wait(5s);
    CHECK_FALSE(result.timed_out);
    CHECK(result.code == 1);
  }
  it.f.server.thaw();
  CHECK(it.heals());
}

TEST_CASE("a reader survives a connection that is cut under it") {
  frozen it;
  write_old(it.f.from / "large/x.avi", noise(8'000'000, 99));
  REQUIRE(run_ferryfs({"scan", it.mount->mountpoint()}).code == 0);
  it.link->rate(4'000'000);
  process reader({"cat", *it.mount / "large/x.avi"});
  const auto before = it.link->counts().bytes_down;
  REQUIRE(wait_until([&] { return it.link->counts().bytes_down > before + 2'000'000; }));
  it.link->cut();
  it.link->rate(0);
  const auto result = reader.wait(20s);
  CHECK(result.code == 0);
  CHECK((result.out == noise(8'000'000, 99)));
}

TEST_CASE("a known archive is mounted with its source down, serves what is here, and takes up the rest later") {
  frozen it;
  CHECK(it.mount->stop() == 0);
  SECTION("the port is closed") {
    it.f.server.stop();
    it.mount->start();
  }
  SECTION("the server is frozen") {
    it.f.server.freeze();
    it.mount->start();
  }
  check_here_is_fast(it);
  const auto took = time_of([&] { CHECK(it.cat("20/a.jpg").code == 1); });
  CHECK(took < 1s);  // it is known to be down
  it.f.server.restart();
  CHECK(it.heals());
  CHECK_THAT(run_ferryfs({"status", it.mount->mountpoint()}).out, !contains_text("UNREACHABLE"));
}
