// Reading what is not here: it comes, once, as soon as its bytes are there, and then it is an ordinary file.
#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "tests/doubles/relay.hpp"
#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string read_at(const fs::path& path, off_t offset, std::size_t count) {
  const descriptor file(checked(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path.string()));
  std::string bytes(count, '\0');
  std::size_t got = 0;
  while (got < count) {
    const auto n =
        checked(::pread(file.get(), bytes.data() + got, count - got, offset + static_cast<off_t>(got)), path);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return bytes.substr(0, got);
}

void check_local(const ferry& f, const mount_fixture& mount, const std::string& picture) {
  INFO(picture);
  CHECK(wait_until([&] { return attribute(mount / picture) == "local"; }));
  CHECK(read_file(f.to / picture) == read_file(f.from / picture));
  struct stat here {
  }, there{};
  REQUIRE(::lstat((f.to / picture).c_str(), &here) == 0);
  REQUIRE(::lstat((f.from / picture).c_str(), &there) == 0);
  CHECK(kind_and_times(here) == kind_and_times(there));
  CHECK(wait_until([&] {
    for (const auto& e : fs::recursive_directory_iterator(f.to / ".ferryfs/partial"))
      if (e.is_regular_file()) return false;
    return true;
  }));
}

}  // namespace

TEST_CASE("a missing picture is read whole and is an ordinary file from then on") {
  const ferry f;
  const std::string picture = "20240101/a.jpg";
  write_old(f.from / picture, noise(3'850'000));
  write_old(f.from / "20240101/empty.jpg", "");
  write_old(f.from / "20240101/other.jpg", noise(100));
  fs::permissions(f.from / picture, fs::perms(0640));
  auto options = f.options(still);
  if (GENERATE(true, false)) options.source = f.from;
  mount_fixture mount(options);
  mount.expect_log(still_says);
  CHECK(attribute(mount / picture) == "remote");
  {
    const descriptor opened(::open((mount / picture).c_str(), O_RDONLY | O_CLOEXEC));
    CHECK(opened);
  }
  CHECK(attribute(mount / picture) == "remote");  // opening is not reading
  CHECK((read_file(mount / picture) == noise(3'850'000)));
  check_local(f, mount, picture);
  CHECK(read_file(mount / "20240101/empty.jpg").empty());
  CHECK(attribute(mount / "20240101/other.jpg") == "remote");
  CHECK_FALSE(fs::exists(f.to / "20240101/other.jpg"));
  CHECK((read_file(mount / picture) == noise(3'850'000)));
}

TEST_CASE("fifty readers of one missing picture cause one fetch") {
  ferry f;
  const auto log = f.dir / "sftp.log";
  sshd_options logged;
  logged.sftp_command = "exec /usr/lib/openssh/sftp-server -e -l VERBOSE 2>>" + log.string();
  if (!fs::exists("/usr/lib/openssh/sftp-server")) skip("no sftp-server where Debian has it");
  const sshd server(logged);
  write_old(f.from / "20240101/a.jpg", noise(3'850'000));
  relay_options far;
  far.port = server.port();
  relay link(far);
  auto options = f.options(still);
  options.source = sshd::url(f.from, link.port());
  options.arguments = {"--identity", server.identity(), "--known-hosts", server.known_hosts(link.port())};
  options.arguments.insert(options.arguments.end(), still.begin(), still.end());
  mount_fixture mount(options);
  mount.expect_log(still_says);
  REQUIRE(fs::file_size(mount / "20240101/a.jpg") == 3'850'000);

  const auto before = link.counts().bytes_down;
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 50; ++i)
      readers.emplace_back([&, i] {
        const off_t from = i % 2 == 0 ? 0 : i * 70'000;
        right += read_at(mount / "20240101/a.jpg", from, 4'000'000) == noise(3'850'000).substr(from);
      });
  }
  CHECK(right == 50);
  const auto text = read_file(log);
  std::size_t opens = 0;
  for (auto at = text.find("open \""); at != text.npos; at = text.find("open \"", at + 1)) ++opens;
  CHECK(opens == 1);
  CHECK(link.counts().bytes_down - before < 2 * 3'850'000);
  check_local(f, mount, "20240101/a.jpg");
}

TEST_CASE("a read deep in a large file does not wait for what lies before it") {
  const ferry f;
  write_old(f.from / "videos/day.avi", noise(24'000'000));
  relay_options far;
  far.port = f.server.port();
  far.in_flight = 500'000;  // what is on its way already has to arrive first
  relay link(far);
  mount_fixture mount(f.options(still, link.port()));
  mount.expect_log(still_says);
  REQUIRE(fs::file_size(mount / "videos/day.avi") == 24'000'000);
  link.rate(4'000'000);  // six seconds for all of it
  std::string deep;
  CHECK(time_of([&] { deep = read_at(mount / "videos/day.avi", 23'000'001, 5000); }) < 1500ms);
  CHECK((deep == noise(24'000'000).substr(23'000'001, 5000)));
  CHECK(time_of([&] { deep = read_at(mount / "videos/day.avi", 12'345'678, 5000); }) < 1500ms);
  CHECK((deep == noise(24'000'000).substr(12'345'678, 5000)));
  link.rate(0);
  CHECK((read_file(mount / "videos/day.avi") == noise(24'000'000)));
  check_local(f, mount, "videos/day.avi");
}

TEST_CASE("pieces of missing pictures in any order are the right ones") {
  const ferry f;
  const auto content = noise(1'000'003);
  for (int i = 0; i < 8; ++i) write_old(f.from / ("day/" + std::to_string(i) + ".jpg"), content);
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  int seed = 0;
  for (int i = 0; i < 8; ++i) {
    const auto picture = mount / ("day/" + std::to_string(i) + ".jpg");
    for (int piece = 0; piece < 20; ++piece) {
      const std::size_t at = (seed = (seed * 75 + 74) % 65537) * 16U, count = 1 + at % 9000;
      CHECK((read_at(picture, static_cast<off_t>(at), count) == content.substr(std::min(at, content.size()), count)));
    }
    CHECK(read_at(picture, 1'000'003, 100).empty());
    CHECK(read_at(picture, 5'000'000, 100).empty());
  }
}

TEST_CASE("a missing picture can be mapped into memory") {
  const ferry f;
  const auto content = noise(1'000'003);
  write_old(f.from / "day/a.rrd", content);
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  const descriptor file(checked(::open((mount / "day/a.rrd").c_str(), O_RDONLY | O_CLOEXEC), "open"));
  void* const at = ::mmap(nullptr, content.size(), PROT_READ, MAP_SHARED, file.get(), 0);
  REQUIRE(at != MAP_FAILED);
  const char* const bytes = static_cast<const char*>(at);
  CHECK(bytes[999'999] == content[999'999]);
  CHECK((std::string_view(bytes, content.size()) == content));
  ::munmap(at, content.size());
}

TEST_CASE("Ctrl-C ends a reader that waits for a source that does not answer") {
  const ferry f;
  write_old(f.from / "day/a.jpg", noise(1'000'000));
  relay_options near;
  near.port = f.server.port();
  near.delay = 0us;
  relay link(near);
  mount_fixture mount(f.options(still, link.port()));
  mount.expect_log(still_says);
  REQUIRE(fs::file_size(mount / "day/a.jpg") == 1'000'000);
  link.stall();
  process reader({"cat", mount / "day/a.jpg"});
  CHECK_FALSE(reader.ended(500ms));
  reader.signal(SIGINT);
  CHECK(reader.ended(1s));
  CHECK(reader.wait(5s).code == 128 + SIGINT);
  link.go();
  CHECK((read_file(mount / "day/a.jpg") == noise(1'000'000)));
}

TEST_CASE("mounted over the destination, it is reached by the destination's path, and leaves an ordinary directory") {
  const ferry f;
  for (const char* name : {"20240101/a.jpg", "20240101/b.jpg", "20240102/c.jpg"}) write_old(f.from / name, noise(5000));
  auto options = f.options(still);
  options.mountpoint.clear();
  const bool foreground = GENERATE(true, false);
  options.foreground = foreground;
  mount_fixture mount(options);
  mount.expect_log(still_says);
  CHECK(fs::file_size(f.to / "20240102/c.jpg") == 5000);
  CHECK_THAT(run_ferryfs({"status", f.to}).out, contains_text("not complete"));
  CHECK(run_ferryfs({"ctl", f.to, "pause"}).code == 0);
  CHECK_THAT(run_ferryfs({"status", f.to / "20240101"}).out, contains_text("paused"));
  CHECK(run_ferryfs({"fetch", f.to / "20240101"}).code == 0);
  CHECK(attribute(f.to / "20240101/a.jpg") == "local");
  CHECK(attribute(f.to / "20240102/c.jpg") == "remote");
  CHECK(out_of({"umount", f.to}).empty());
  CHECK(wait_until([&] { return !mount.runs(); }));
  CHECK(contents_below(f.to) ==
        tree{{"20240101", "/"}, {"20240101/a.jpg", noise(5000)}, {"20240101/b.jpg", noise(5000)}});
  CHECK(fs::exists(f.to / ".ferryfs/index.db"));
  fs::remove_all(f.to / ".ferryfs");
  CHECK(out_of({"ls", "-A", f.to}) == "20240101\n");
}

TEST_CASE("what the disk has no room for is read from the source, and not kept; changing a part of it is ENOSPC") {
  const ferry f;
  const auto content = noise(5'000'000);
  write_old(f.from / "videos/day.mp4", content);
  auto options = f.options({"--min-free", "1000T"});
  if (GENERATE(true, false)) options.source = f.from;
  mount_fixture mount(options);
  mount.expect_log("is blocked");
  const auto video = mount / "videos/day.mp4";
  CHECK((read_file(video) == content));
  CHECK(read_at(video, 4'999'000, 5000) == content.substr(4'999'000));
  {
    std::vector<std::jthread> readers;
    std::atomic<int> right = 0;
    for (int i = 0; i < 8; ++i)
      readers.emplace_back(
          [&, i] { right += read_at(video, i * 600'000, 600'000) == content.substr(i * 600'000, 600'000); });
    readers.clear();
    CHECK(right == 8);
  }
  CHECK(attribute(video) == "remote");
  CHECK_FALSE(fs::exists(f.to / "videos/day.mp4"));
  CHECK_THAT(run_ferryfs({"status", mount.mountpoint()}).out, contains_text("not kept"));
  {
    const descriptor open(checked(::open(video.c_str(), O_RDWR | O_CLOEXEC), video.string()));
    CHECK(::pwrite(open.get(), "x", 1, 100) == -1);
    CHECK(errno == ENOSPC);
  }
  CHECK(::truncate(video.c_str(), 100) == -1);
  CHECK(errno == ENOSPC);
  write_file(mount / "videos/new.mp4", "an upload may use the reserve");
  CHECK(read_file(f.to / "videos/new.mp4") == "an upload may use the reserve");
  // Another picture on the source is another here.
  write_old(f.from / "videos/day.mp4", noise(5'000'000, 2), long_ago + 60);
  REQUIRE(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
  CHECK((read_file(video) == noise(5'000'000, 2)));
}

TEST_CASE("writing into a large missing file lasts as long as its bytes come") {
  const ferry f;
  const auto content = noise(3'000'000);
  write_old(f.from / "videos/day.mp4", content);
  write_old(f.from / "videos/other.mp4", content);
  relay_options far;
  far.port = f.server.port();
  far.in_flight = 100'000;
  relay link(far);
  auto arguments = still;
  arguments.insert(arguments.end(), {"--io-timeout", "2"});
  mount_fixture mount(f.options(arguments, link.port()));
  for (const char* said : {still_says.c_str(), "timeout", "answer", "reach"}) mount.expect_log(said);
  const auto video = mount / "videos/day.mp4";
  REQUIRE(fs::file_size(video) == 3'000'000);
  link.rate(700'000);
  const descriptor open(checked(::open(video.c_str(), O_RDWR | O_CLOEXEC), video.string()));
  CHECK(time_of([&] { CHECK(::pwrite(open.get(), "here", 4, 1'000'000) == 4); }) > 3s);
  auto changed = content;
  changed.replace(1'000'000, 4, "here");
  CHECK((read_file(video) == changed));
  // And no longer than --io-timeout without one.
  const auto other = mount / "videos/other.mp4";
  const descriptor silent(checked(::open(other.c_str(), O_RDWR | O_CLOEXEC), other.string()));
  link.stall();
  CHECK(time_of([&] { CHECK(::pwrite(silent.get(), "here", 4, 1'000'000) == -1); }) < 6s);
  link.go();
}
