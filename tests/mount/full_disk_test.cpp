// Changes through the mount on a disk that is full: each is done, or it is not, and the picture of the source that it
// was about goes on showing.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// A mount whose disk of 16 MB is filled, and is given back.
class small_disk {
 public:
  small_disk() {
    if (::geteuid() != 0) skip("only root mounts a tmpfs");
    fs::create_directories(f.to);
    REQUIRE(::mount("none", f.to.c_str(), "tmpfs", 0, "size=16m") == 0);
    for (int i = 0; i < 3; ++i)
      write_old(f.from / "20240101" / (std::to_string(i) + ".jpg"), noise(50'000, static_cast<unsigned>(i)));
    mount.emplace(f.options(still));
    for (const char* words : {"is blocked", "full", "No space"}) mount->expect_log(words);
  }
  ~small_disk() { mount.reset(), ::umount2(f.to.c_str(), MNT_DETACH); }

  std::filesystem::path operator/(const std::filesystem::path& below) const { return *mount / below; }
  // Every page of it, past the mount.
  void fill() const {
    const descriptor file{::open((f.to / "ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    const std::string page(4096, 'x');
    while (::write(file.get(), page.data(), page.size()) > 0) {
    }
  }
  void make_room() const { fs::remove(f.to / "ballast"); }

  ferry f;
  std::optional<mount_fixture> mount;
};

}  // namespace

TEST_CASE("on a full disk a change is done or not done, and nothing is lost") {
  const small_disk s;
  const fs::path missing = s / "20240101/0.jpg", other = s / "20240101/1.jpg", mine = s / "20240101/mine.jpg";
  write_file(mine, "mine");
  const auto old = noise(50'000, 0);
  s.fill();
  SECTION("truncating a missing picture at its open") {
    const descriptor file{::open(missing.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC)};
    const bool done = static_cast<bool>(file);
    s.make_room();
    CHECK((read_file(missing) == (done ? "" : old)));
  }
  SECTION("making a name") {
    const descriptor file{::open((s / "20240101/made.jpg").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    const bool done = static_cast<bool>(file);
    CHECK(fs::exists(s / "20240101/made.jpg") == done);
    CHECK(fs::exists(s.f.to / "20240101/made.jpg") == done);
    s.make_room();
    CHECK(fs::exists(s / "20240101/made.jpg") == done);
  }
  SECTION("renaming a missing picture over one that is only here") {
    const bool done = ::rename(missing.c_str(), mine.c_str()) == 0;
    s.make_room();
    CHECK((read_file(mine) == (done ? old : "mine")));
    CHECK(fs::exists(missing) != done);
  }
  SECTION("renaming one that is only here over a missing picture") {
    const bool done = ::rename(mine.c_str(), missing.c_str()) == 0;
    s.make_room();
    CHECK((read_file(missing) == (done ? "mine" : old)));
    CHECK(fs::exists(mine) != done);
  }
  SECTION("removing a missing picture") {
    const bool done = ::unlink(other.c_str()) == 0;
    s.make_room();
    CHECK(fs::exists(other) != done);
  }
  SECTION("removing one that is only here") {
    const bool done = ::unlink(mine.c_str()) == 0;
    s.make_room();
    CHECK(fs::exists(mine) != done);
    if (!done) CHECK(read_file(mine) == "mine");
  }
}
