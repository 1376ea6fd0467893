// Both servers active: what happens on the old one while the mount is up.
#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "tests/doubles/relay.hpp"
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

TEST_CASE("what is appended to an open file is kept, though its source grew meanwhile and is fetched anew") {
  const ferry f;
  const bool off = GENERATE(false, true);
  write_old(f.from / "resources/log", "old lines\n");
  mount_fixture mount(f.options(off ? std::vector<std::string>{"-o", "nopassthrough"} : std::vector<std::string>{}));
  REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "20"}).code == 0);
  const auto log = mount / "resources/log";
  REQUIRE(attribute(log) == "local");
  {
    // A service that has its log open, and nothing to say yet.
    const descriptor open(checked(::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC), log.string()));
    write_old(f.from / "resources/log", "old lines\nthe old server's last line\n", long_ago + 60);
    REQUIRE(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
    REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "20"}).code != 3);
    CHECK(wait_until([&] { return attribute(log) == "conflict"; }));
    CHECK(fs::file_size(log) == 10);
    CHECK(::write(open.get(), "ours\n", 5) == 5);
  }
  CHECK(read_file(log) == "old lines\nours\n");
  CHECK(read_file(f.to / "resources/log") == "old lines\nours\n");
  CHECK(status_of(mount.mountpoint())["conflict"]["files"] == 1);
}

TEST_CASE("who reads a picture while its source is overwritten gets the new one or an error, and never both mixed") {
  const ferry f;
  const auto from = f.from / "20240101/1.mp4";
  const auto before = noise(4'000'000, 1), after = noise(4'000'000, 2);
  const bool grows = GENERATE(false, true);
  write_old(from, before);
  relay_options far;
  far.port = f.server.port();
  far.in_flight = 300'000;
  relay link(far);
  mount_fixture mount(f.options(still, link.port()));
  mount.expect_log(still_says);
  const auto picture = mount / "20240101/1.mp4";
  REQUIRE(fs::file_size(picture) == 4'000'000);
  const descriptor open(checked(::open(picture.c_str(), O_RDONLY | O_CLOEXEC), picture.string()));
  std::string bytes(4096, '\0');
  const auto read_at = [&](off_t offset) { return ::pread(open.get(), bytes.data(), bytes.size(), offset); };
  link.rate(1'000'000);
  REQUIRE(read_at(0) == 4096);
  CHECK((bytes == before.substr(0, 4096)));
  {
    const descriptor there(checked(::open(from.c_str(), O_WRONLY | O_CLOEXEC), from.string()));
    REQUIRE(::pwrite(there.get(), after.data(), after.size(), 0) == static_cast<ssize_t>(after.size()));
    if (grows) REQUIRE(::pwrite(there.get(), "more", 4, static_cast<off_t>(after.size())) == 4);
  }
  set_mtime(from, long_ago + 60);
  link.rate(0);
  REQUIRE(wait_until([&] { return attribute(picture) == "remote"; }));
  REQUIRE(wait_until([&] { return fs::last_write_time(picture) == fs::last_write_time(from); }));
  if (grows) {
    CHECK(read_at(0) == -1);
    CHECK(errno == EIO);
  } else {
    for (const off_t offset : {0, 4096, 2'000'000, 3'990'000}) {
      CHECK(read_at(offset) == 4096);
      CHECK((bytes == after.substr(static_cast<std::size_t>(offset), 4096)));
    }
  }
  CHECK((read_file(picture) == read_file(from)));
}

TEST_CASE("readers of a copy that became outdated leave none of its pages to those of the new one") {
  const ferry f;
  const auto from = f.from / "20240101/1.jpg";
  write_old(from, noise(1'000'000, 1));
  mount_fixture mount(f.options({"-o", "nopassthrough"}));
  REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "20"}).code == 0);
  const auto picture = mount / "20240101/1.jpg";
  REQUIRE(attribute(picture) == "local");
  const descriptor early(checked(::open(picture.c_str(), O_RDONLY | O_CLOEXEC), picture.string()));
  std::string bytes(4096, '\0');
  REQUIRE(::pread(early.get(), bytes.data(), bytes.size(), 0) == 4096);
  write_old(from, noise(1'000'000, 2), long_ago + 60);
  REQUIRE(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
  REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "20"}).code == 0);
  REQUIRE(attribute(picture) == "local");
  for (const off_t offset : {0, 500'000, 900'000}) {
    CHECK(::pread(early.get(), bytes.data(), bytes.size(), offset) == 4096);
    CHECK((bytes == noise(1'000'000, 2).substr(static_cast<std::size_t>(offset), 4096)));
  }
  CHECK((read_file(picture) == noise(1'000'000, 2)));
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
