// Pipes, sockets and devices: of this server alone.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

struct stat status_of(const fs::path& path) {
  struct stat st {};
  checked(::lstat(path.c_str(), &st), path.string());
  return st;
}

void listen_at(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const descriptor s(checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  checked(::bind(s.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), path.string());
}

}  // namespace

TEST_CASE("a pipe and a socket stand in the view and on the disk, and work") {
  store s;
  const auto pipe = s / "20240101/pipe", renamed = s / "pipe";
  REQUIRE(refused(::mkfifo(pipe.c_str(), 0640)) == 0);
  listen_at(s / "socket");
  CHECK(status_of(pipe).st_mode == (S_IFIFO | 0640));
  CHECK(status_of(s.f.to / "20240101/pipe").st_mode == (S_IFIFO | 0640));
  CHECK(S_ISSOCK(status_of(s / "socket").st_mode));
  CHECK(refused(::mkfifo(pipe.c_str(), 0640)) == EEXIST);
  CHECK(out_of({"sh", "-c", "echo hello >" + pipe.string() + " & cat " + pipe.string()}) == "hello\n");
  fs::rename(pipe, renamed);
  fs::permissions(renamed, fs::perms(0600));
  for (int i = 0; i < 2; ++i) {
    CHECK(status_of(renamed).st_mode == (S_IFIFO | 0600));
    CHECK(status_of(s.f.to / "pipe").st_mode == (S_IFIFO | 0600));
    rescan(s.mount->mountpoint());
    if (i == 0) s.remount();
  }
  CHECK(fs::remove(renamed));
  CHECK_FALSE(fs::exists(fs::symlink_status(s.f.to / "pipe")));
}

TEST_CASE("a device has its number, wherever it was made") {
  if (::geteuid() != 0) return;  // nobody else makes one
  store s;
  REQUIRE(refused(::mknod((s / "null").c_str(), S_IFCHR | 0600, makedev(1, 3))) == 0);
  CHECK(status_of(s / "null").st_rdev == makedev(1, 3));
  CHECK(status_of(s.f.to / "null").st_rdev == makedev(1, 3));
  REQUIRE(refused(::mknod((s.f.to / "disk").c_str(), S_IFBLK | 0600, makedev(7, 9))) == 0);
  rescan(s.mount->mountpoint());
  CHECK(wait_until([&] { return fs::exists(fs::symlink_status(s / "disk")); }));
  CHECK(status_of(s / "disk").st_rdev == makedev(7, 9));
}

TEST_CASE("what the old server has of pipes is left there, and counted as refused") {
  store s;
  REQUIRE(refused(::mkfifo((s.f.from / "20240101/pipe").c_str(), 0600)) == 0);
  set_mtime(s.f.from / "20240101", long_ago + 5);
  write_old(s.f.from / "20240101/late.jpg", "late");
  rescan(s.mount->mountpoint());
  CHECK(wait_until([&] { return fs::exists(s / "20240101/late.jpg"); }));
  CHECK_FALSE(fs::exists(fs::symlink_status(s / "20240101/pipe")));
  CHECK(files_in(s.mount->mountpoint(), "refused") == 1);
  CHECK_THAT(run_ferryfs({"report", s.mount->mountpoint(), "--list", "refused"}).out, contains_text("20240101/pipe"));
  CHECK(run_ferryfs({"skip", s / "20240101/pipe"}).code == 0);
  CHECK(files_in(s.mount->mountpoint(), "refused") == 0);
}

TEST_CASE("a picture in whose place the old server has a pipe is gone, and costs its directory nothing") {
  store s;
  REQUIRE(wait_until([&] { return files_in(s.mount->mountpoint(), "source") == 6; }));
  const auto old = s.f.from / "20240101/1.jpg";
  REQUIRE(fs::remove(old));
  REQUIRE(refused(::mkfifo(old.c_str(), 0600)) == 0);
  set_mtime(s.f.from / "20240101", long_ago + 5);
  rescan(s.mount->mountpoint());
  CHECK(wait_until([&] { return !fs::exists(fs::symlink_status(s / "20240101/1.jpg")); }));
  CHECK(files_in(s.mount->mountpoint(), "refused") == 1);
  CHECK(files_in(s.mount->mountpoint(), "unlisted") == 0);
  CHECK(files_in(s.mount->mountpoint(), "lost") == 1);
}
