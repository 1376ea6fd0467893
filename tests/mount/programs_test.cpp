// Programs that people run on an archive find a file system.
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#include <thread>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// The work that rsync would still have to do, a line for each file.
std::string left_to_do(const fs::path& from, const fs::path& to) {
  return out_of({"rsync", "-aXi", "--delete", "--exclude", "/.ferryfs", from.string() + "/", to.string() + "/"});
}

auto seconds_of(const fs::path& path) { return std::chrono::floor<std::chrono::seconds>(fs::last_write_time(path)); }

}  // namespace

TEST_CASE("rsync copies out of the mount and into it, and then has nothing left to do") {
  const store s;
  const auto view = s.mount->mountpoint(), out = s.f.dir / "out", in = s.f.dir / "in";
  rescan(view);
  // The root's time is the source's once that has been listed, and the kernel was told.
  REQUIRE(wait_until([&] { return seconds_of(view) == seconds_of(s.f.from); }));
  left_to_do(view, out);
  CHECK(left_to_do(view, out) == "");
  CHECK(difference(contents_below(s.f.from), contents_below(out)) == "");
  out_of({"cp", "-a", s.f.from, in});
  fs::remove_all(in / "20240102");
  write_old(in / "20240103/new.jpg", "new");
  write_old(in / "20240101/0.jpg", "another");
  left_to_do(in, view);
  CHECK(left_to_do(in, view) == "");
  CHECK(difference(contents_below(in), contents_below(view)) == "");
  CHECK(difference(contents_below(in), contents_below(s.f.to)) == "");
}

TEST_CASE("tar and cp carry pictures and their attributes both ways, and nothing of ferryfs's own") {
  const store s;
  const auto picture = s / "20240101/0.jpg", archive = s.f.dir / "a.tar";
  REQUIRE(::lsetxattr(picture.c_str(), "user.author", "me", 2, 0) == 0);
  const std::vector<std::string> tar{"tar", "--xattrs", "--xattrs-include=user.*"};
  const auto run_tar = [&](std::vector<std::string> more) {
    more.insert(more.begin(), tar.begin(), tar.end());
    CHECK(run(more).err == "");
  };
  fs::create_directory(s.f.dir / "out");
  fs::create_directory(s / "in");
  run_tar({"-C", s.mount->mountpoint(), "-cf", archive, "20240101", "20240102"});
  run_tar({"-C", s.f.dir / "out", "-xf", archive});
  run_tar({"-C", s / "in", "-xf", archive});
  out_of({"cp", "-a", s / "20240101", s / "copied"});
  CHECK(difference(contents_below(s.f.from), contents_below(s.f.dir / "out")) == "");
  CHECK(difference(attributes_below(s.f.from), attributes_below(s / "in")) == "");
  CHECK(difference(attributes_below(s.f.from / "20240101"), attributes_below(s / "copied")) == "");
  for (const auto& copy : {s.f.dir / "out/20240101", s / "in/20240101", s / "copied"})
    CHECK(out_of({"getfattr", "--absolute-names", "--only-values", "-d", copy / "0.jpg"}) == "me");
}

TEST_CASE("two who append to one file lose nothing, and a shared mapping is on the disk") {
  const store s;
  const auto append = [&](char mark) {
    const descriptor file(checked(::open((s / "log").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644), "log"));
    for (int i = 0; i < 500; ++i) checked(::write(file.get(), std::string(9, mark).append("\n").data(), 10), "log");
  };
  {
    const std::jthread a([&] { append('a'); }), b([&] { append('b'); });
  }
  const auto log = read_file(s.f.to / "log");
  CHECK(log.size() == 10'000);
  CHECK(std::count(log.begin(), log.end(), 'a') == 4500);

  // Of a picture that is not here yet.
  auto content = noise(50'000, 0);
  const descriptor file(checked(::open((s / "20240101/0.jpg").c_str(), O_RDWR | O_CLOEXEC), "0.jpg"));
  auto* const bytes = static_cast<char*>(::mmap(nullptr, 50'000, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
  REQUIRE(bytes != MAP_FAILED);
  content.replace(20'000, 7, "changed").copy(bytes, 50'000);
  CHECK(::msync(bytes, 50'000, MS_SYNC) == 0);
  CHECK((read_file(s.f.to / "20240101/0.jpg") == content));
  ::munmap(bytes, 50'000);
}

TEST_CASE("locks hold between those who use the mount") {
  const store s;
  write_file(s / "lock", "lock");
  const auto opened = [&] { return checked(::open((s / "lock").c_str(), O_RDWR | O_CLOEXEC), "lock"); };
  const descriptor one(opened()), other(opened());
  CHECK(refused(::flock(one.get(), LOCK_EX | LOCK_NB)) == 0);
  CHECK(refused(::flock(other.get(), LOCK_EX | LOCK_NB)) == EWOULDBLOCK);
  CHECK(refused(::flock(one.get(), LOCK_UN)) == 0);
  struct flock part {};
  part.l_type = F_WRLCK, part.l_start = 1, part.l_len = 2;
  CHECK(refused(::fcntl(one.get(), F_OFD_SETLK, &part)) == 0);
  CHECK(refused(::fcntl(other.get(), F_OFD_SETLK, &part)) == EAGAIN);
  part.l_start = 3;
  CHECK(refused(::fcntl(other.get(), F_OFD_SETLK, &part)) == 0);
}

TEST_CASE("two processes write to one SQLite database in the mount") {
  const store s;
  const std::string write =
      "import sqlite3, sys\n"
      "d = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)\n"
      "for i in range(40): d.execute('INSERT INTO t VALUES(?, ?)', (sys.argv[2], i))\n";
  // Before anybody writes: a change of the mode waits for no lock.
  const std::string create =
      "import sqlite3, sys\n"
      "d = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
      "d.execute('PRAGMA journal_mode=' + sys.argv[2])\n"
      "d.execute('CREATE TABLE t(who, n)')\n";
  const std::string count =
      "import sqlite3, sys\n"
      "d = sqlite3.connect(sys.argv[1])\n"
      "print(d.execute('SELECT count(DISTINCT who || n) FROM t').fetchone()[0],"
      " d.execute('PRAGMA integrity_check').fetchone()[0])\n";
  for (const std::string mode : {"WAL", "DELETE"}) {
    INFO(mode);
    const std::string file = s / (mode + ".db");
    out_of({"/usr/bin/python3", "-c", create, file, mode});
    process one({"/usr/bin/python3", "-c", write, file, "one"}),
        other({"/usr/bin/python3", "-c", write, file, "other"});
    for (auto* p : {&one, &other}) {
      const auto result = p->wait(std::chrono::seconds(60));
      CHECK(result.err == "");
      CHECK(result.code == 0);
    }
    CHECK(out_of({"/usr/bin/python3", "-c", count, file}) == "80 ok\n");
    CHECK(out_of({"/usr/bin/python3", "-c", count, s.f.to / (mode + ".db")}) == "80 ok\n");
  }
}
