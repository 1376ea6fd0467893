// Reading directories while they change.
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <set>

#include "remote/files/unique_fd.hpp"
#include "tests/doubles/rogue.hpp"
#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

using open_directory = std::unique_ptr<DIR, int (*)(DIR*)>;

open_directory opened(const fs::path& path) {
  open_directory d{::opendir(path.c_str()), ::closedir};
  REQUIRE(d);
  return d;
}

void make_files(const fs::path& directory, int count) {
  fs::create_directories(directory);
  for (int i = 0; i < count; ++i) write_file(directory / (std::to_string(i) + ".jpg"), "x");
}

// The next name but "." and ".."; empty at the end.
std::string next_of(DIR* d) {
  while (const dirent* e = ::readdir(d))
    if (e->d_name[0] != '.') return e->d_name;
  return "";
}

// Reads a directory a few names at a time: fewer than a reply of ours has, so that each is cut off in its middle.
class cut_reading {
 public:
  explicit cut_reading(const fs::path& path) : directory_(::open(path.c_str(), O_RDONLY | O_DIRECTORY)) {
    REQUIRE(directory_);
  }
  // Some more names but "." and ".."; at the end none.
  std::vector<std::string> next() {
    std::vector<std::string> names;
    long got = 0;
    while (names.empty() && (got = ::syscall(SYS_getdents64, directory_.get(), some_.data(), some_.size())) > 0)
      for (long at = 0; at < got;) {
        const auto* e = reinterpret_cast<const dirent64*>(some_.data() + at);
        at += e->d_reclen;
        if (e->d_name[0] != '.') names.emplace_back(e->d_name);
      }
    CHECK(got >= 0);
    return names;
  }

 private:
  ferryfs::unique_fd directory_;
  alignas(dirent64) std::array<char, 400> some_{};
};

}  // namespace

TEST_CASE("who removes each name as he reads it finds all of them, each once") {
  store s;
  make_files(s / "day", 3000);
  const auto directory = opened(s / "day");
  std::set<std::string> found;
  for (auto name = next_of(directory.get()); !name.empty(); name = next_of(directory.get())) {
    CHECK(found.insert(name).second);
    REQUIRE(fs::remove(s / "day" / name));
  }
  CHECK(found.size() == 3000);
  CHECK(fs::remove(s / "day"));
}

TEST_CASE("who removes what he reads from the kernel's list finds the rest where that list is dropped") {
  store s;
  make_files(s / "day", 1000);
  names_in(s / "day");
  cut_reading reading{s / "day"};
  std::set<std::string> found;
  for (auto names = reading.next(); !names.empty(); names = reading.next()) {
    for (const auto& name : names) {
      CHECK(found.insert(name).second);
      REQUIRE(fs::remove(s / "day" / name));
    }
    names_in(s / "day");  // reads the list anew
  }
  CHECK(found.size() == 1000);
}

// As rsync names its files.
TEST_CASE("names that were changed in a directory are listed once each, and none is left out") {
  store s;
  const std::string before = GENERATE("aaa", "zzz");
  fs::create_directories(s / "day");
  for (int i = 0; i < 1000; ++i) {
    const auto number = std::to_string(10'000 + i);
    write_file(s / "day" / (before + number), "x");
    fs::rename(s / "day" / (before + number), s / "day" / ("img" + number));
  }
  cut_reading reading{s / "day"};
  std::set<std::string> found;
  for (auto names = reading.next(); !names.empty(); names = reading.next())
    for (const auto& name : names)
      if (!found.insert(name).second) FAIL(name << " comes again");
  CHECK(found.size() == 1000);
}

TEST_CASE("a place in a directory stays the same place whatever comes and goes around it") {
  store s;
  make_files(s / "day", 1000);
  const auto directory = opened(s / "day");
  for (int i = 0; i < 499; ++i) next_of(directory.get());
  const long place = ::telldir(directory.get());
  const std::string following = next_of(directory.get());
  ::rewinddir(directory.get());
  for (int i = 0; i < 100; ++i) fs::remove(s / "day" / next_of(directory.get()));
  write_file(s / "day/00000.jpg", "x");
  SECTION("in the same reading") {
    ::seekdir(directory.get(), place);
    CHECK(next_of(directory.get()) == following);
  }
  SECTION("in another") {
    const auto again = opened(s / "day");
    ::seekdir(again.get(), place);
    CHECK(next_of(again.get()) == following);
  }
}

TEST_CASE("a new report is in the list of reports at once, for who has just listed them, too") {
  store s;
  const auto reports = s / ".ferryfs/reports";
  for (int i = 0; i < 3; ++i) {
    const auto before = names_in(reports);
    CHECK(run_ferryfs({"report", s.f.to, "--new"}).code == 0);
    CHECK(names_in(reports).size() > before.size());
  }
}

// While the kernel waits for a list of names it lets nobody change the directory: it must not wait for the source.
TEST_CASE("who waits for a directory's first listing keeps nobody from changing what is here") {
  const temp_dir dir{"waiting"};
  sshd_options options;
  options.sftp_command = std::string(FERRYFS_ROGUE_SFTP) + " hang";  // when it is to list `victim`
  const sshd server{options};
  const auto to = dir / "destination";
  const auto day = fs::path(rogue::victim).filename();
  for (int i = 0; i < 3; ++i) write_file(to / day / (std::to_string(i) + ".jpg"), "x");
  mount_options how;
  how.source = server.url(rogue::root);
  how.destination = to;
  how.mountpoint = dir / "mountpoint";
  how.arguments = {"--identity", server.identity(), "--known-hosts", server.known_hosts(), "--io-timeout", "4"};
  how.arguments.insert(how.arguments.end(), still.begin(), still.end());
  mount_fixture mount{how};
  for (const char* said : {"is blocked", "no answer", "unreachable", "scan"}) mount.expect_log(said);
  REQUIRE(wait_until([&] { return files_in(mount.mountpoint(), "new") == 3; }));
  process waits({"ls", mount / day});
  CHECK_FALSE(waits.ended(300ms));
  CHECK(run({"rm", mount / day / "1.jpg"}, 1s).code == 0);
  CHECK(run({"touch", mount / day / "0.jpg"}, 1s).code == 0);
  CHECK_FALSE(waits.ended(0ms));
  CHECK_FALSE(fs::exists(to / day / "1.jpg"));
  waits.wait(10s);
}
