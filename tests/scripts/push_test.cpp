// ferryfs push, as one would call it: against a real sshd, with and without a mount.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/doubles/descriptor.hpp"
#include "tests/doubles/relay.hpp"
#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct both_sides {
  temp_dir dir{"push"};
  fs::path from = dir / "source", to = dir / "destination";
  sshd server;

  explicit both_sides(sshd_options options = {}) : server(std::move(options)) {
    fs::create_directories(to);
    write_old(from / "20240110/old.jpg", "old");
  }
  // The old picture comes here, so that the index knows the archive.
  void sync() { REQUIRE(run_ferryfs(sync_command(server, from, to)).code == complete); }
  void put_odd_names() const {
    for (const char* name : {"plain.jpg", "new\nline.jpg", "it's \"quoted\".jpg", "bad\xff\xfe.jpg", "back\\slash",
                             "-n", "$(id)", " ", "\x01\x7f"})
      write_old(to / "20240111" / name, std::string("content of ") + name);
    write_old(to / "20240111" / std::string(255, 'l'), "long");
    write_old(to / "20240111/deep/er/empty.jpg", "");
    write_old(to / "20240110/large.jpg", noise(5'000'000));
    fs::create_symlink("plain.jpg", to / "20240111/link");
    fs::permissions(to / "20240111/plain.jpg", fs::perms{0640});
  }
  std::string difference() const {
    const auto r = run({"diff", "-r", "--no-dereference", "--exclude=.ferryfs", from, to});
    return r.out + r.err;
  }
  process_result push(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"push", to};
    words.insert(words.end(), more.begin(), more.end());
    return run_ferryfs(words);
  }
};

std::string mode_and_time(const fs::path& path) { return out_of({"stat", "-c", "%a %Y %s", path}); }

}  // namespace

TEST_CASE("an archive that is ready stays so when what is new was pushed") {
  both_sides s;
  s.sync();
  CHECK(run_ferryfs({"verify", "--source", s.to}).code == complete);
  write_old(s.to / "20240110/new.jpg", "new");
  CHECK(s.push().code == complete);
  const auto ready = run_ferryfs({"ready", s.to});
  INFO(ready.out);
  CHECK(ready.code == complete);
}

TEST_CASE("push sends what is new, under any name, and then both sides are the same") {
  both_sides s;
  s.sync();
  s.put_odd_names();
  const auto r = s.push();
  INFO(r.err);
  CHECK(r.code == complete);
  CHECK_THAT(r.out, contains_text("sent 13 files"));
  CHECK(s.difference() == "");
  CHECK(mode_and_time(s.from / "20240111/plain.jpg") == mode_and_time(s.to / "20240111/plain.jpg"));

  const auto again = s.push();
  CHECK(again.code == complete);
  CHECK_THAT(again.out, contains_text("sent 0 files"));
  CHECK(run_ferryfs(sync_command(s.server, s.from, s.to)).code == complete);
  CHECK(s.difference() == "");
}

TEST_CASE("push leaves a report of what went back, and of what was refused") {
  both_sides s;
  s.sync();
  write_old(s.to / "20240110/new.jpg", "new");
  CHECK(s.push().code == complete);
  const auto last = [&] {
    const auto id =
        nlohmann::json::parse(out_of({FERRYFS_BINARY, "report", s.to, "--format", "json"})).back()["report"];
    return nlohmann::json::parse(
        out_of({FERRYFS_BINARY, "report", s.to, "--id", std::to_string(id.get<int>()), "--format", "json"}));
  };
  const auto sent = last();
  CHECK(sent["job"]["name"] == "push");
  CHECK(sent["job"]["direction"] == "destination to source");
  CHECK(sent["job"]["status"] == "complete");
  CHECK(sent["moved"]["files"] == 1);
  CHECK(sent["moved"]["bytes"] == 3);
  write_old(s.to / "20240110/x.jpg", "ours");
  write_old(s.from / "20240110/x.jpg", "theirs");
  CHECK(s.push().code == incomplete);
  const auto refused = last();
  CHECK(refused["job"]["status"] == "incomplete");
  REQUIRE(refused["errors"].size() == 1);
  CHECK_THAT(refused["errors"][0].get<std::string>(), contains_text("1 refused: 20240110/x.jpg"));
}

TEST_CASE("push works where the account is given nothing but SFTP") {
  both_sides s{{.sftp_command = "internal-sftp", .key_type = "ed25519", .config = {"ForceCommand internal-sftp"}}};
  s.sync();
  s.put_odd_names();
  CHECK(s.push().code == complete);
  CHECK(s.difference() == "");
}

TEST_CASE("push to an account that may only read is one line") {
  both_sides s{{.sftp_command = "internal-sftp -R", .key_type = "ed25519", .config = {}}};
  s.sync();
  s.put_odd_names();
  check_one_line(s.push(), source, "may write");
  CHECK(fs::exists(s.from / "20240110/old.jpg"));
}

TEST_CASE("push to a server that is gone is one line") {
  both_sides s;
  s.sync();
  write_old(s.to / "new.jpg", "new");
  s.server.stop();
  check_one_line(s.push(), source, "127.0.0.1");
}

TEST_CASE("push of what is not there, or in no archive, is wrong usage") {
  both_sides s;
  s.sync();
  check_one_line(run_ferryfs({"push", s.to / "gone"}), usage, "gone");
  check_one_line(run_ferryfs({"push", s.from}), usage, "not in a ferryfs archive");
}

TEST_CASE("push that was killed goes on where it was") {
  both_sides s;
  relay line{{.listen = 0, .port = s.server.port(), .delay = 1ms, .in_flight = 1'000'000, .rate = 8'000'000}};
  auto words = sync_command(s.server, s.from, s.to);
  words[1] = sshd::url(s.from, line.port());
  words[5 + 1] = s.server.known_hosts(line.port());
  const auto synced = run_ferryfs(words);
  INFO(synced.err);
  REQUIRE(synced.code == complete);
  constexpr std::uint64_t size = 16'000'000;
  write_old(s.to / "20240111/video.mp4", noise(size));
  const auto before = line.counts().bytes_up;
  {
    process first{{FERRYFS_BINARY, "push", s.to}};
    REQUIRE(wait_until([&] { return line.counts().bytes_up > before + size * 2 / 3; }, 30s));
    first.signal(SIGKILL);
    REQUIRE(first.ended(5s));
  }
  CHECK_FALSE(fs::exists(s.from / "20240111/video.mp4"));
  const auto parts = out_of({"find", s.from / "20240111", "-name", ".video.mp4.*.ferryfs-part"});
  CHECK(std::count(parts.begin(), parts.end(), '\n') == 1);
  CHECK(s.push().code == complete);
  CHECK(line.counts().bytes_up - before < size * 4 / 3);
  CHECK(s.difference() == "");
}

TEST_CASE("push overwrites no name that came to stand on the source meanwhile") {
  both_sides s;
  s.sync();
  write_old(s.to / "20240110/a.jpg", "mine");
  write_old(s.to / "20240110/b.jpg", "b");
  write_old(s.from / "20240110/a.jpg", "theirs");
  check_one_line(s.push(), incomplete, "1 refused");
  CHECK(read_file(s.from / "20240110/a.jpg") == "theirs");
  CHECK(read_file(s.from / "20240110/b.jpg") == "b");
}

TEST_CASE("push through the mount") {
  need_fuse();
  ferry f;
  write_old(f.from / "20240110/old.jpg", "old");
  mount_fixture m{f.options()};
  write_file(m / "20240110/new.jpg", "new");
  fs::create_directory(m / "20240112");
  write_file(m / "20240112/it's\n.jpg", "odd");
  CHECK_THAT(out_of({FERRYFS_BINARY, "push", m.mountpoint()}), contains_text("sent 2 files"));
  CHECK(read_file(f.from / "20240110/new.jpg") == "new");
  CHECK(read_file(f.from / "20240112/it's\n.jpg") == "odd");
  CHECK(read_file(m / "20240112/it's\n.jpg") == "odd");

  SECTION("a name that came to stand there is refused") {
    write_file(m / "20240110/x.jpg", "mine");
    write_file(f.from / "20240110/x.jpg", "theirs");
    check_one_line(run_ferryfs({"push", m / "20240110"}), incomplete, "x.jpg");
    CHECK(read_file(f.from / "20240110/x.jpg") == "theirs");
  }
  SECTION("what was overwritten here goes back when asked for") {
    CHECK(read_file(m / "20240110/old.jpg") == "old");
    write_file(m / "20240110/old.jpg", "old, made better");
    CHECK(run_ferryfs({"push", m.mountpoint()}).code == complete);
    CHECK(read_file(f.from / "20240110/old.jpg") == "old");
    CHECK_THAT(out_of({FERRYFS_BINARY, "push", "--overwritten", m.mountpoint()}), contains_text("sent 1 files"));
    CHECK(read_file(f.from / "20240110/old.jpg") == "old, made better");
    CHECK(attribute(m / "20240110/old.jpg") == "local");
  }
}

TEST_CASE("push through the mount shows how far it is, goes once at a time, and ends when it is told to") {
  need_fuse();
  ferry f;
  write_old(f.from / "20240110/old.jpg", "old");
  relay line{{.listen = 0, .port = f.server.port(), .delay = 1ms, .in_flight = 1'000'000, .rate = 4'000'000}};
  mount_fixture m{f.options({}, line.port())};
  write_file(m / "20240110/video.mp4", noise(16'000'000));
  const auto before = line.counts().bytes_up;
  process first{{FERRYFS_BINARY, "push", m.mountpoint()}};
  REQUIRE(wait_until([&] { return line.counts().bytes_up > before + 1'000'000; }, 30s));
  CHECK(wait_until([&] { return first.out().find("sent 0 files, ") != std::string::npos; }, 10s));
  check_one_line(run_ferryfs({"push", m.mountpoint()}), local, "a push is running already");
  CHECK(out_of({FERRYFS_BINARY, "ctl", m.mountpoint(), "limit", "9M"}) == "limit 9.00 MiB/s\n");  // waits for no push
  {
    const descriptor watch{::open((m / ".ferryfs/watch").c_str(), O_WRONLY)};
    CHECK((::write(watch.get(), "push \n", 6) == -1 && errno == EBUSY));
  }
  first.signal(SIGINT);
  const auto r = first.wait(10s);
  INFO(r.out << r.err);
  CHECK(r.code == incomplete);
  CHECK_THAT(r.err, contains_text("interrupted"));
  CHECK_FALSE(fs::exists(f.from / "20240110/video.mp4"));
  line.rate(0);
  CHECK(run_ferryfs({"push", m.mountpoint()}).code == complete);
  CHECK((read_file(f.from / "20240110/video.mp4") == noise(16'000'000)));
}

TEST_CASE("verify through the mount goes once at a time, and ends when it is told to") {
  need_fuse();
  ferry f;
  write_old(f.from / "a.jpg", "picture");
  relay line{{.listen = 0, .port = f.server.port(), .delay = 0us}};
  mount_fixture m{f.options({}, line.port())};
  REQUIRE(run_ferryfs({"status", m.mountpoint(), "--wait", "30"}, 40s).code == complete);
  line.stall();
  process first{{FERRYFS_BINARY, "verify", m.mountpoint(), "--source"}};
  REQUIRE(wait_until([&] { return first.out().find("verified ") != std::string::npos; }, 10s));
  {
    const descriptor watch{::open((m / ".ferryfs/watch").c_str(), O_WRONLY)};
    CHECK((::write(watch.get(), "verify here \n", 13) == -1 && errno == EBUSY));
  }
  const auto second = run_ferryfs({"verify", m.mountpoint()});
  CHECK(second.code == local);
  CHECK_THAT(second.out, contains_text("a verify is running already"));
  first.signal(SIGINT);
  line.go();
  const auto r = first.wait(10s);
  INFO(r.out << r.err);
  CHECK(r.code == incomplete);
  CHECK_THAT(r.out, contains_text("interrupted"));
  CHECK(run_ferryfs({"verify", m.mountpoint(), "--source"}).code == complete);
}

TEST_CASE("push through the mount leaves a picture alone that is still being written") {
  need_fuse();
  ferry f;
  write_old(f.from / "20240110/old.jpg", "old");
  mount_fixture m{f.options()};
  write_file(m / "20240110/done.jpg", "done");
  {
    const descriptor open{::open((m / "20240110/upload.jpg").c_str(), O_WRONLY | O_CREAT, 0644)};
    REQUIRE(::write(open.get(), "half", 4) == 4);
    check_one_line(run_ferryfs({"push", m.mountpoint()}), incomplete, "upload.jpg: is being written here");
    CHECK_FALSE(fs::exists(f.from / "20240110/upload.jpg"));
    CHECK(read_file(f.from / "20240110/done.jpg") == "done");
  }
  CHECK(run_ferryfs({"push", m.mountpoint()}).code == complete);
  CHECK(read_file(f.from / "20240110/upload.jpg") == "half");
}

TEST_CASE("push --overwritten sends what a program saved by a rename, and no bytes that have rotted") {
  need_fuse();
  ferry f;
  write_old(f.from / "saved.jpg", "before");
  write_old(f.from / "rotten.jpg", noise(10'000));
  mount_fixture m{f.options()};
  m.expect_log("digest differs");
  REQUIRE(run_ferryfs({"status", m.mountpoint(), "--wait", "30"}, 40s).code == complete);
  write_file(m / ".saved.tmp", "made better");
  fs::rename(m / ".saved.tmp", m / "saved.jpg");
  write_old(f.to / "rotten.jpg", noise(10'000, 2));
  REQUIRE(run_ferryfs({"verify", m / "rotten.jpg"}).code == incomplete);
  const auto r = run_ferryfs({"push", "--overwritten", m.mountpoint()});
  check_one_line(r, incomplete, "rotten.jpg: its bytes here are not the ones");
  CHECK(read_file(f.from / "saved.jpg") == "made better");
  CHECK((read_file(f.from / "rotten.jpg") == noise(10'000)));
  CHECK(run_ferryfs({"ctl", m.mountpoint(), "rescan"}).code == complete);
  CHECK(run_ferryfs({"push", m.mountpoint()}).code == complete);
  CHECK(read_file(m / "saved.jpg") == "made better");
}
