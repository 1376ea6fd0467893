// `.ferryfs/` that somebody else has made, or put something into.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// Synced once, so that all of it is there.
struct archive {
  temp_dir dir{"private"};
  fs::path from = dir / "source", to = dir / "destination", own = to / ".ferryfs";

  archive() {
    write_old(from / "20240101/a.jpg", noise(1000));
    fs::create_directory(to);
    REQUIRE(sync().code == complete);
  }
  process_result sync() const { return run_ferryfs({"sync", from, to}); }
  void own_by(uid_t user) const {
    if (::geteuid() != 0) skip("only root gives a directory away");
    REQUIRE(::lchown(own.c_str(), user, user) == 0);
  }
};

}  // namespace

TEST_CASE("nothing of ferryfs's own is opened through a symbolic link") {
  for (const char* name : {"index.db", "index.db-wal", "index.db-shm", "index.db-journal", "log", "lock", "reports",
                           "partial", "decisions"}) {
    INFO(name);
    const archive a;
    const fs::path victim = a.dir / "victim";
    const bool directory = fs::is_directory(a.own / name);
    fs::remove_all(a.own / name);
    if (directory)
      fs::create_directory(victim);
    else
      write_file(victim, "untouched");
    fs::create_symlink(victim, a.own / name);
    write_old(a.from / "20240101/b.jpg", noise(2000));
    check_one_line(a.sync(), local, name);
    check_one_line(run_ferryfs({"mount", a.from, a.to}), local, "symbolic link");
    if (fs::exists(a.own / "index.db")) {
      check_one_line(run_ferryfs({"status", a.to}), local, name);
      check_one_line(run_ferryfs({"report", a.to}), local, name);
      check_one_line(run_ferryfs({"scan", a.to}), local, name);
    }
    CHECK((directory ? fs::is_empty(victim) : read_file(victim) == "untouched"));
    fs::remove(a.own / name);
    CHECK(a.sync().code == complete);
  }
}

TEST_CASE("nor is a report, or the log's earlier file") {
  const archive a;
  const fs::path victim = a.dir / "victim";
  fs::path report;
  for (const auto& e : fs::directory_iterator(a.own / "reports"))
    if (e.path().extension() == ".json") report = e.path();
  fs::rename(report, victim);
  fs::create_symlink(victim, report);
  const auto result = run_ferryfs({"report", a.to, "--id", "1"});
  CHECK(result.code == local);
  CHECK_THAT(result.err, contains_text("damaged"));
  fs::create_symlink(victim, a.own / "log.1");
  check_one_line(a.sync(), local, "log.1");
}

TEST_CASE("ferryfs's directory is no link, and none leads to it") {
  const archive a;
  fs::rename(a.own, a.dir / "elsewhere");
  fs::create_directory_symlink(a.dir / "elsewhere", a.own);
  check_one_line(a.sync(), local, ".ferryfs");
  check_one_line(run_ferryfs({"status", a.to}), local, ".ferryfs");
}

TEST_CASE("a directory that others may enter is refused, with what to type") {
  const archive a;
  fs::permissions(a.own, fs::perms(0777));
  check_one_line(a.sync(), local, "chmod 700 " + a.own.string());
  REQUIRE(run({"chmod", "700", a.own}).code == 0);
  CHECK(a.sync().code == complete);
}

TEST_CASE("a directory of a stranger is refused, with what to type; the destination's owner is none") {
  const archive a;
  a.own_by(54321);
  const std::string command = "chown -R 0:0 " + a.own.string();
  check_one_line(a.sync(), local, command);
  check_one_line(run_ferryfs({"status", a.to}), local, command);
  SECTION("it is given to us") { REQUIRE(run({"sh", "-c", command}).code == 0); }
  SECTION("it is taken away") { REQUIRE(fs::remove_all(a.own) > 0); }
  SECTION("it belongs to the destination's owner") { REQUIRE(::chown(a.to.c_str(), 54321, 54321) == 0); }
  CHECK(a.sync().code == complete);
}
