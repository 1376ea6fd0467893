// Pushes to a directory and to a real SSH server.
#include <filesystem>
#include <future>
#include <random>

#include "remote/source/local/directory_archive.hpp"
#include "remote/source/server/sftp_archive.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/relay.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/remote/engine/push/push_fixture.hpp"

namespace ferryfs::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string noise(std::size_t size, unsigned seed = 1) {
  std::minstd_rand dice{seed};
  std::string bytes(size, '\0');
  for (auto& b : bytes) b = static_cast<char>(dice() >> 8);
  return bytes;
}

// The output of `diff -r` for both sides.
std::string difference(const fs::path& here, const fs::path& there) {
  const auto result = run({"diff", "-r", "--no-dereference", "--exclude=.ferryfs", here, there});
  return result.out + result.err;
}

}  // namespace

TEST_CASE("push: to a directory of this machine", "[push]") {
  temp_dir to{"source"};
  push_fixture<remote::directory_archive> f{std::make_unique<remote::directory_archive>(to.path().string())};
  f.put("2013/a.jpg", noise(3'000'000)), f.put("2013/b.jpg", ""), f.put(std::string(255, 'x'), "long");
  fs::create_symlink("nowhere", f.dir / "2013/link");
  f.scan();
  CHECK(f.push().files == 4);
  CHECK(difference(f.dir.path(), to.path()) == "");
  write_file(f.dir / "c.jpg", "mine");
  f.scan();
  write_file(to / "c.jpg", "theirs");
  CHECK(f.push().refused == 1);
  CHECK(read_file(to / "c.jpg") == "theirs");
}

TEST_CASE("push: a connection that is cut in the middle is gone on with from there", "[push][sshd][relay]") {
  temp_dir to{"source"};
  sshd server;
  relay line{{.listen = 0, .port = server.port(), .delay = 1ms, .in_flight = 1'000'000, .rate = 12'000'000}};
  remote::ssh::settings s;
  s.identities = {server.identity()}, s.known_hosts = {server.known_hosts(line.port())}, s.io_timeout = 10s;
  push_fixture<remote::sftp::sftp_archive> f{
      std::make_unique<remote::sftp::sftp_archive>(remote::ssh::resolve(sshd::url(to.path(), line.port()), s), 2)};
  constexpr std::uint64_t size = 24'000'000;
  f.put("2013/video.mp4", noise(size));
  for (int i = 0; i < 20; ++i) f.put("2013/" + std::to_string(i), noise(10'000, static_cast<unsigned>(i)));
  f.scan();
  const auto before = line.counts().bytes_up;
  auto cutter = std::async(std::launch::async, [&] {
    const bool half = wait_until([&] { return line.counts().bytes_up > before + size * 2 / 3; }, 30s);
    line.cut();
    return half;
  });
  const auto r = f.push();
  REQUIRE(cutter.get());
  CHECK(r.files + r.already_there == 21);
  CHECK(r.refused == 0);
  CHECK(line.counts().bytes_up - before < size * 4 / 3);
  CHECK(difference(f.dir.path(), to.path()) == "");
}

TEST_CASE("push: links arrive where the account may remove nothing, and one link on trial at most is left",
          "[push][sshd]") {
  temp_dir to{"source"};
  sshd server{{.sftp_command = "internal-sftp -P remove", .key_type = "ed25519", .config = {}}};
  remote::ssh::settings s;
  s.identities = {server.identity()}, s.known_hosts = {server.known_hosts()}, s.io_timeout = 10s;
  const auto archive = [&] {
    return std::make_unique<remote::sftp::sftp_archive>(remote::ssh::resolve(sshd::url(to.path(), server.port()), s),
                                                        2);
  };
  const auto names = [&] { return std::distance(fs::directory_iterator{to / "2013"}, fs::directory_iterator{}); };
  constexpr int links = 30;
  for (const std::string run : {"first", "second"}) {
    push_fixture<remote::sftp::sftp_archive> f{archive()};
    for (int i = 0; i < links; ++i) {
      fs::create_directories(f.dir / "2013");
      fs::create_symlink("1.jpg", f.dir / "2013" / (run + std::to_string(i)));
    }
    f.scan();
    const auto r = f.push();
    INFO(r.first_refusal);
    CHECK(r.files == links);
    CHECK(r.refused == 0);
    for (int i = 0; i < links; ++i) CHECK(fs::read_symlink(to / "2013" / (run + std::to_string(i))) == "1.jpg");
    CHECK(names() == (run == "first" ? links : 2 * links) + 1);
  }
}

}  // namespace ferryfs::test
