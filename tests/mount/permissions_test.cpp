// Other users in the mount: the kernel holds them to the modes and owners that the view shows.
#include <sys/stat.h>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* nobody = "65534";

// A store that another user reaches; its temporary directory is its owner's alone.
struct shared_store : store {
  explicit shared_store(std::vector<std::string> more = {}) : store(with(std::move(more))) {
    fs::permissions(f.dir.path(), fs::perms(0711));
    fs::permissions(f.dir.path().parent_path(), fs::perms::others_exec, fs::perm_options::add);
  }
  static std::vector<std::string> with(std::vector<std::string> more) {
    more.push_back("--allow-other");
    return more;
  }
  // As nobody, in the mountpoint: the exit code.
  int as_nobody(const std::string& command) const {
    process_options there;
    there.directory = mount->mountpoint();
    return run({"setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups", "sh", "-c", command},
               std::chrono::seconds(20), there)
        .code;
  }
};

struct stat status_of(const fs::path& path) {
  struct stat st {};
  checked(::lstat(path.c_str(), &st), path.string());
  return st;
}

bool is_root() { return ::geteuid() == 0; }  // nobody else becomes another user

}  // namespace

TEST_CASE("another user can do what modes and owners allow, and no more") {
  if (!is_root()) return;
  shared_store s;
  write_file(s / "secret", "secret");
  write_file(s / "public", "public");
  fs::permissions(s / "secret", fs::perms(0600));
  fs::permissions(s / "public", fs::perms(0644));
  fs::permissions(s / "20240101/0.jpg", fs::perms(0600));
  fs::create_directory(s / "closed");
  fs::permissions(s / "closed", fs::perms(0755));
  CHECK(s.as_nobody("cat public") == 0);
  CHECK(s.as_nobody("cat secret") != 0);
  CHECK(s.as_nobody("cat 20240101/0.jpg") != 0);
  CHECK(s.as_nobody("echo more >>public") != 0);
  CHECK(s.as_nobody("echo new >closed/new") != 0);
  CHECK(s.as_nobody("rm -f public") != 0);
  CHECK(s.as_nobody("chmod 0666 public") != 0);
  CHECK(s.as_nobody("setfattr -n user.mine -v x public") != 0);
  CHECK(s.as_nobody("cat .ferryfs/status.json") == 0);
  CHECK(s.as_nobody("echo pause >.ferryfs/control") != 0);
  CHECK_FALSE(s.downloaded());
}

TEST_CASE("what another user makes is his, in the view and on the disk") {
  if (!is_root()) return;
  shared_store s;
  fs::create_directory(s / "upload");
  fs::permissions(s / "upload", fs::perms(01777));
  fs::create_directory(s / "team");
  REQUIRE(refused(::chown((s / "team").c_str(), 0, 4711)) == 0);
  fs::permissions(s / "team", fs::perms(02777));
  REQUIRE(s.as_nobody(
              "umask 022; echo x >upload/file; mkdir upload/directory; ln -s x upload/link; mkfifo upload/pipe") == 0);
  REQUIRE(s.as_nobody("umask 022; echo x >team/file; mkdir team/directory") == 0);
  for (int i = 0; i < 2; ++i) {
    for (const fs::path& root : {s.mount->mountpoint(), s.f.to}) {
      for (const char* name : {"upload/file", "upload/directory", "upload/link", "upload/pipe"}) {
        INFO(root / name);
        CHECK(status_of(root / name).st_uid == 65534);
        CHECK(status_of(root / name).st_gid == 65534);
      }
      CHECK((status_of(root / "upload/file").st_mode & 07777) == 0644);
      CHECK(status_of(root / "team/file").st_gid == 4711);
      CHECK(status_of(root / "team/directory").st_gid == 4711);
      CHECK((status_of(root / "team/directory").st_mode & 07777) == 02755);
    }
    if (i == 0) s.remount();
  }
  write_file(s / "upload/root", "x");
  CHECK(s.as_nobody("rm -f upload/root") != 0);  // the sticky bit
}

TEST_CASE("who writes to another's program does not run as him") {
  if (!is_root()) return;
  shared_store s;
  write_file(s / "program", "#!/bin/sh\n");
  fs::permissions(s / "program", fs::perms(04777));
  CHECK(status_of(s.f.to / "program").st_mode == (S_IFREG | 04777));
  REQUIRE(s.as_nobody("echo true >>program") == 0);
  CHECK(status_of(s / "program").st_mode == (S_IFREG | 0777));
  CHECK(status_of(s.f.to / "program").st_mode == (S_IFREG | 0777));
}

TEST_CASE("a missing picture that is given to another user is his when it arrives") {
  if (!is_root()) return;
  shared_store s;
  REQUIRE(refused(::chown((s / "20240101/0.jpg").c_str(), 65534, 4711)) == 0);
  fs::permissions(s / "20240101/0.jpg", fs::perms(0400));
  REQUIRE(refused(::chown((s / "20240102").c_str(), 65534, 4711)) == 0);
  CHECK_FALSE(s.downloaded());
  const auto day_mode = status_of(s.f.from / "20240102").st_mode;
  CHECK(status_of(s / "20240102").st_mode == day_mode);
  CHECK(s.as_nobody("cat 20240101/0.jpg 20240102/0.jpg >/dev/null") == 0);
  CHECK(wait_until([&] { return attribute(s / "20240101/0.jpg") == "local"; }));
  for (const fs::path& root : {s.mount->mountpoint(), s.f.to}) {
    CHECK(status_of(root / "20240101/0.jpg").st_uid == 65534);
    CHECK(status_of(root / "20240101/0.jpg").st_gid == 4711);
    CHECK((status_of(root / "20240101/0.jpg").st_mode & 07777) == 0400);
    CHECK(status_of(root / "20240102").st_uid == 65534);
  }
}

TEST_CASE("the files of the archive are shown as --uid, --gid and --umask say") {
  shared_store s({"--uid", "1234", "--gid", "4711", "--umask", "027"});
  write_file(s / "20240101/new.jpg", "new");
  for (const char* name : {"20240101", "20240101/0.jpg", "20240101/new.jpg"}) {
    const auto st = status_of(s / name);
    INFO(name);
    CHECK((st.st_mode & 027) == 0);
    CHECK(st.st_uid == 1234);
    CHECK(st.st_gid == 4711);
  }
}

TEST_CASE("what lies deeper than a path can be is changed as anything else") {
  store s;
  const std::string name(200, 'd');
  descriptor at{::open(s.mount->mountpoint().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  for (int depth = 0; depth < 24; ++depth) {
    REQUIRE(::mkdirat(at.get(), name.c_str(), 0755) == 0);
    at = descriptor{::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  }
  const descriptor file{::openat(at.get(), "a.jpg", O_CREAT | O_RDWR | O_CLOEXEC, 0644)};
  REQUIRE(::write(file.get(), "picture", 7) == 7);
  CHECK(refused(::fchmodat(at.get(), "a.jpg", 0642, 0)) == 0);
  CHECK(refused(::fchownat(at.get(), "a.jpg", 12, 34, 0)) == 0);
  CHECK(refused(::renameat(at.get(), "a.jpg", at.get(), "b.jpg")) == 0);
  struct stat st {};
  REQUIRE(::fstatat(at.get(), "b.jpg", &st, 0) == 0);
  CHECK(st.st_mode == (S_IFREG | 0642));
  CHECK((st.st_uid == 12 && st.st_gid == 34 && st.st_size == 7));
  CHECK(refused(::unlinkat(at.get(), "b.jpg", 0)) == 0);
}
