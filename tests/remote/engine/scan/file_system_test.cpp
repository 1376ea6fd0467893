// Which file system lies under the source's root, as its archive tells it, and what follows from another one.
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <future>

#include "remote/engine/migration/migration.hpp"
#include "remote/source/local/directory_archive.hpp"
#include "remote/source/server/sftp_archive.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/rogue.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

// Another disk, mounted over a directory.
class other_disk {
 public:
  explicit other_disk(std::filesystem::path over) : over_(std::move(over)) {
    if (::geteuid() != 0) skip("only root can mount a tmpfs");
    if (::mount("tmpfs", over_.c_str(), "tmpfs", 0, "size=1m") != 0) skip("a tmpfs cannot be mounted here");
  }
  ~other_disk() { ::umount2(over_.c_str(), MNT_DETACH); }

 private:
  std::filesystem::path over_;
};

std::uint64_t number_of(const std::filesystem::path& at) {
  struct statvfs s {};
  REQUIRE(::statvfs(at.c_str(), &s) == 0);
  return s.f_fsid;
}

// True: it is there.
bool look_at_root(remote::archive& a) {
  std::promise<bool> looked;
  a.stat("", [&](const auto& why, const auto&) { looked.set_value(!why); });
  return looked.get_future().get();
}

struct served_directory {
  temp_dir dir{"source"};
  sshd server;

  explicit served_directory(sshd_options o = {}) : server(std::move(o)) {}
  std::unique_ptr<remote::archive> open(std::size_t sessions = 1, const std::string& path = "") const {
    remote::ssh::target t;
    t.host = "127.0.0.1", t.port = server.port(), t.user = sshd::user(),
    t.path = path.empty() ? dir.path().string() : path;
    t.identities = {server.identity().string()}, t.known_hosts = {server.known_hosts().string()};
    return std::make_unique<remote::sftp::sftp_archive>(t, sessions);
  }
};

TEST_CASE("an SFTP server tells the file system under its root, as the last look showed it", "[sshd]") {
  const served_directory s;
  const auto here = number_of(s.dir.path());
  if (here == 0) skip("the file system has no number");
  const auto archive = s.open(GENERATE(1, 3));
  look_at_root(*archive);
  CHECK(archive->file_system() == here);
  const other_disk disk{s.dir.path()};
  const auto there = number_of(s.dir.path());
  REQUIRE(there != here);
  CHECK(wait_until([&] {
    look_at_root(*archive);  // one that has just been made is not made again
    return archive->file_system() == (there != 0 ? std::optional{there} : std::nullopt);
  }));
}

TEST_CASE("an SFTP server that offers no statvfs tells no file system", "[sshd]") {
  sshd_options o;
  o.sftp_command = std::string(FERRYFS_ROGUE_SFTP) + " good";
  const served_directory s{o};
  const auto archive = s.open(1, std::string(rogue::root));
  REQUIRE(archive->state().reachable);
  CHECK(look_at_root(*archive));
  CHECK_FALSE(archive->file_system());
}

// A migration from a source with pictures on one disk, to which another is mounted between two scans.
struct two_disks {
  served_directory from;
  temp_dir dir{"destination"};
  taken_destination where{dir.path()};
  remote::migration m;

  explicit two_disks(bool over_ssh)
      : m({}, where, [&]() -> std::unique_ptr<remote::archive> {
          put_pictures(10);
          if (over_ssh) return from.open();
          return std::make_unique<remote::directory_archive>(from.dir.path().string());
        }()) {}
  ~two_disks() { m.stop(); }

  // The directory has always the same time, so that nothing but the disk has its pictures looked at.
  void put_pictures(int n) const {
    for (int i = 0; i < n; ++i) write_file(from.dir / "day" / (std::to_string(i) + ".jpg"), "picture");
    const timespec times[] = {{long_ago, 0}, {long_ago, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (from.dir / "day").c_str(), times, 0) == 0);
  }
  remote::source_scan::result scan() {
    std::promise<remote::source_scan::result> end;
    m.rescan([&](const auto& r) { end.set_value(r); }, remote::migration::pass::changed);
    if (!std::exchange(started_, true)) m.start({false, false});
    return end.get_future().get();
  }

 private:
  bool started_ = false;
};

TEST_CASE("another disk at the source is listed whole, and what it lacks is not believed to be gone", "[sshd]") {
  two_disks f{GENERATE(true, false)};
  const auto first_number = number_of(f.from.dir.path());
  CHECK(f.scan().complete());
  CHECK(f.scan().directories < 2);  // nothing has changed
  const other_disk disk{f.from.dir.path()};
  if (number_of(f.from.dir.path()) == 0 || first_number == 0) skip("a file system has no number");
  SECTION("all are there") {
    f.put_pictures(10);
    const auto r = f.scan();
    CHECK(r.directories == 2);
    CHECK(r.complete());
    CHECK(f.scan().directories < 2);
  }
  SECTION("one is not") {
    f.put_pictures(9);
    CHECK_THAT(f.scan().suspicious, contains_text("another disk is mounted at the source"));
    CHECK(f.m.readers().borrow()->at("day/9.jpg"));
  }
}

}  // namespace
}  // namespace ferryfs::test
