// ferryfs run by a user who is not root, in a directory that he may write to.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

constexpr uid_t user = 54321;

// A source on this machine, a destination, and a program that the user can run.
struct plain_user {
  temp_dir dir{"plain"};
  fs::path from = dir / "source", to = dir / "destination", program = dir / "ferryfs";

  plain_user(uid_t owner, gid_t group, unsigned mode) {
    if (::geteuid() != 0) skip("only root becomes another user");
    fs::permissions(dir.path(), fs::perms(0755));
    fs::permissions(dir.path().parent_path(), fs::perms::others_exec, fs::perm_options::add);
    fs::copy_file(FERRYFS_BINARY, program);
    fs::permissions(program, fs::perms(0755));
    fs::create_directory(to);
    REQUIRE(::chown(to.c_str(), owner, group) == 0);
    REQUIRE(::chmod(to.c_str(), mode) == 0);
    write_old(from / "20240101/a.jpg", noise(1000));
    fs::create_symlink("20240101/a.jpg", from / "last.jpg");
  }
  process_result sync() const { return ferryfs({"sync", from, to}); }
  process_result ferryfs(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"setpriv", fmt_user("--reuid"), fmt_user("--regid"), "--clear-groups", program};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, std::chrono::seconds(60));
  }
  struct stat look(const char* name) const {
    struct stat st {};
    checked(::lstat((to / name).c_str(), &st), name);
    return st;
  }

 private:
  static std::string fmt_user(const char* option) { return std::string(option) + "=" + std::to_string(user); }
};

}  // namespace

TEST_CASE("files whose group the user can't give get his own, which is said once") {
  const plain_user u{user, 0, 0775};
  const auto first = u.sync();
  check_one_line(first, complete, "54321:54321");
  for (const char* name : {"20240101", "20240101/a.jpg", "last.jpg"}) {
    INFO(name);
    CHECK(u.look(name).st_uid == user);
    CHECK(u.look(name).st_gid == user);
  }
  CHECK(difference(contents_below(u.from), contents_below(u.to)) == "");
  write_old(u.from / "20240101/b.jpg", noise(2000));
  CHECK(u.sync().code == complete);
}

TEST_CASE("so it is in a directory of another user that his group may write to") {
  const plain_user u{0, user, 0775};
  check_one_line(u.sync(), complete, "54321:54321");
  CHECK(u.look("20240101/a.jpg").st_uid == user);
  CHECK(u.look("20240101/a.jpg").st_gid == user);
}

TEST_CASE("a set-group-id directory gives files its group, which needs no word") {
  const plain_user u{user, 0, 02775};
  const auto result = u.sync();
  CHECK(result.code == complete);
  CHECK(result.err == "");
  CHECK(u.look("20240101/a.jpg").st_gid == 0);
}

TEST_CASE("what comes later to a directory that lets nobody write is added to it all the same") {
  const plain_user u{user, user, 0755};
  fs::create_directories(u.from / "20240101/raw");
  fs::permissions(u.from / "20240101/raw", fs::perms(0555));
  fs::permissions(u.from / "20240101", fs::perms(0555));
  REQUIRE(u.sync().code == complete);
  CHECK((u.look("20240101").st_mode & 07777) == 0555);
  write_old(u.from / "20240101/b.jpg", noise(2000));
  write_old(u.from / "20240101/raw/b.raw", noise(2000));
  fs::create_symlink("b.jpg", u.from / "20240101/last.jpg");
  fs::create_directory(u.from / "20240101/new");
  const auto again = u.sync();
  INFO(again.err);
  CHECK(again.code == complete);
  CHECK(difference(contents_below(u.from), contents_below(u.to)) == "");
  CHECK((u.look("20240101").st_mode & 07777) == 0555);
  CHECK((u.look("20240101/raw").st_mode & 07777) == 0555);
}

TEST_CASE(
    "a directory that the user may not list keeps all incomplete until it is accepted, and comes when it can be") {
  const plain_user u{user, user, 0755};
  write_old(u.from / "closed/b.jpg", noise(2000));
  fs::permissions(u.from / "closed", fs::perms(0644));  // its names can be read, and none can be looked at
  const auto first = u.sync();
  CHECK(first.code == incomplete);
  CHECK_THAT(first.err, contains_text("closed"));
  const auto no_go = u.ferryfs({"ready", u.to});
  CHECK(no_go.code == incomplete);
  CHECK_THAT(no_go.out, contains_text("not listed: "));
  CHECK(u.ferryfs({"report", u.to, "--list", "unlisted"}).out == "0 closed\n");
  CHECK(u.ferryfs({"skip", u.to / "closed"}).code == complete);
  CHECK(u.sync().code == complete);
  const auto go = u.ferryfs({"ready", u.to});
  INFO(go.out << go.err);
  CHECK(go.code == complete);
  fs::permissions(u.from / "closed", fs::perms(0755));
  CHECK(u.sync().code == complete);
  CHECK(read_file(u.to / "closed/b.jpg") == noise(2000));
}
