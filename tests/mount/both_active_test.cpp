// Both servers active: what happens on the old one while the mount is up.
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

nlohmann::json status_of(const fs::path& path) {
  return nlohmann::json::parse(run_ferryfs({"status", "--json", path}).out);
}

std::vector<std::string> with_rescan(std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--rescan", "1"});
  return more;
}

}  // namespace

TEST_CASE("a camera that still sends to the old server: its pictures appear in the mount, and are copied") {
  const ferry f;
  write_old(f.from / "20240101/1.jpg", noise(5'000));
  mount_fixture mount(f.options(with_rescan()));
  REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "20"}).code == 0);
  REQUIRE(out_of({"ls", mount / "20240101"}) == "1.jpg\n");
  write_old(f.from / "20240101/2.jpg", noise(6'000, 2));
  write_old(f.from / "20240102/3.jpg", noise(7'000, 3));
  CHECK(wait_until([&] { return out_of({"ls", mount / "20240101"}) == "1.jpg\n2.jpg\n"; }));
  CHECK(wait_until([&] { return fs::exists(f.to / "20240101/2.jpg") && fs::exists(f.to / "20240102/3.jpg"); }));
  CHECK(wait_until([&] { return status_of(mount.mountpoint())["common"]["files"] == 3; }));
  CHECK((read_file(f.to / "20240102/3.jpg") == noise(7'000, 3)));
}

TEST_CASE("a picture that changed on the source before it was fetched is fetched in its new form") {
  const ferry f;
  write_old(f.from / "20240101/1.jpg", noise(5'000));
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  REQUIRE(out_of({"stat", "-c", "%s", mount / "20240101/1.jpg"}) == "5000\n");
  SECTION("and a scan has seen that") {
    write_old(f.from / "20240101/1.jpg", noise(9'000, 2), long_ago + 60);
    REQUIRE(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
  }
  SECTION("and nobody has seen that yet") {
    write_old(f.from / "20240101/1.jpg", noise(9'000, 2), long_ago + 60);
    // The read may end with an error, as its bytes were asked for by the old size; the next one is right.
    run({"cat", mount / "20240101/1.jpg"});
  }
  CHECK(wait_until([&] { return run({"cat", mount / "20240101/1.jpg"}).out == noise(9'000, 2); }));
  CHECK(out_of({"stat", "-c", "%s %Y", mount / "20240101/1.jpg"}) == "9000 " + std::to_string(long_ago + 60) + "\n");
  REQUIRE(
      wait_until([&] { return fs::exists(f.to / "20240101/1.jpg"); }));  // readers are answered before it is durable
  CHECK((read_file(f.to / "20240101/1.jpg") == noise(9'000, 2)));
}

TEST_CASE("a picture that vanished from the source before it was fetched is reported as lost") {
  const ferry f;
  write_old(f.from / "20240101/1.jpg", noise(5'000));
  write_old(f.from / "20240101/2.jpg", noise(6'000));
  mount_fixture mount(f.options(with_rescan(still)));
  mount.expect_log(still_says);
  REQUIRE(out_of({"ls", mount / "20240101"}) == "1.jpg\n2.jpg\n");
  fs::remove(f.from / "20240101/1.jpg");
  CHECK(wait_until([&] { return out_of({"ls", mount / "20240101"}) == "2.jpg\n"; }));
  CHECK(status_of(mount.mountpoint())["lost"] == nlohmann::json({{"files", 1}, {"bytes", 5000}}));
  CHECK_THAT(run_ferryfs({"status", mount.mountpoint()}).out, contains_text("lost"));
  CHECK(mount.stop() == 0);
  CHECK(status_of(f.to)["lost"]["files"] == 1);
  SECTION("and lost no more when it comes back") {
    write_old(f.from / "20240101/1.jpg", noise(5'000));
    mount.start();
    CHECK(wait_until([&] { return status_of(mount.mountpoint())["lost"]["files"] == 0; }));
    CHECK((read_file(mount / "20240101/1.jpg") == noise(5'000)));
  }
}

TEST_CASE("the same picture sent to both servers is one; another under the same name is a conflict, and both stay") {
  const ferry f;
  write_old(f.from / "20240101/1.jpg", noise(5'000));
  mount_fixture mount(f.options(with_rescan()));
  REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "20"}).code == 0);
  write_file(mount / "20240101/both.jpg", noise(3'000, 3));
  write_file(mount / "20240101/other.jpg", noise(4'000, 4));
  write_old(f.from / "20240101/both.jpg", noise(3'000, 3));
  write_old(f.from / "20240101/other.jpg", noise(4'444, 5));
  CHECK(wait_until([&] { return status_of(mount.mountpoint())["conflict"]["files"] == 1; }));
  CHECK(wait_until([&] { return status_of(mount.mountpoint())["common"]["files"] == 2; }));
  CHECK(attribute(mount / "20240101/other.jpg") == "conflict");
  CHECK((read_file(mount / "20240101/other.jpg") == noise(4'000, 4)));
  CHECK((read_file(f.from / "20240101/other.jpg") == noise(4'444, 5)));
}
