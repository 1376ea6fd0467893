// Removed files that are still open, and names that lead elsewhere on the disk.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

TEST_CASE("a directory that was removed, or renamed over, while it is open answers fstat and fchmod") {
  store s;
  fs::create_directory(s / "gone");
  fs::create_directory(s / "over");
  const descriptor gone{::open((s / "gone").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  const descriptor over{::open((s / "over").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  fs::remove(s / "gone");
  fs::create_directory(s / "another");
  fs::rename(s / "another", s / "over");
  for (const auto* d : {&gone, &over}) {
    struct stat st {};
    REQUIRE(::fstat(d->get(), &st) == 0);
    CHECK(S_ISDIR(st.st_mode));
    CHECK(st.st_nlink == 0);
    CHECK(::fchmod(d->get(), 0711) == 0);
    REQUIRE(::fstat(d->get(), &st) == 0);
    CHECK((st.st_mode & 07777) == 0711);
  }
}

TEST_CASE("a removed file that somebody only has a path to answers fstat") {
  store s;
  const descriptor missing{::open((s / "20240101/0.jpg").c_str(), O_PATH | O_CLOEXEC)};
  fs::remove(s / "20240101/0.jpg");
  struct stat st {};
  REQUIRE(::fstat(missing.get(), &st) == 0);
  CHECK(st.st_size == 50'000);
}

TEST_CASE("a link that came to stand for a picture in the destination leads no change elsewhere") {
  store s;
  const fs::path victim = s.f.dir / "victim";
  write_file(victim, "secret");
  fs::permissions(victim, fs::perms(0600));
  set_mtime(victim, long_ago);
  write_file(s / "mine.jpg", "mine");
  fs::remove(s.f.to / "mine.jpg");
  fs::create_symlink(victim, s.f.to / "mine.jpg");
  CHECK(::chmod((s / "mine.jpg").c_str(), 0666) != 0);
  CHECK(::truncate((s / "mine.jpg").c_str(), 0) != 0);
  set_mtime(victim, long_ago);
  const timespec times[2] = {{long_ago + 5, 0}, {long_ago + 5, 0}};
  CHECK(::utimensat(AT_FDCWD, (s / "mine.jpg").c_str(), times, 0) != 0);
  struct stat st {};
  REQUIRE(::stat(victim.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0600);
  CHECK(st.st_mtim.tv_sec == long_ago);
  CHECK(read_file(victim) == "secret");
}
