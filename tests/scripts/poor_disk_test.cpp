// Destinations that can do less than ext4, as the administrator meets them.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/doubles/refused_syscalls.hpp"
#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

struct local_archive {
  temp_dir dir{"poor"};
  fs::path from = dir / "source", to = dir / "destination";

  local_archive() {
    for (int i = 0; i < 50; ++i)
      write_old(from / "20240101" / (std::to_string(i) + ".jpg"), noise(10'000, static_cast<unsigned>(i)));
    fs::create_symlink("20240101/0.jpg", from / "last.jpg");
    fs::create_directory(to);
  }
  process_result sync() const { return run_ferryfs({"sync", from, to}); }
  nlohmann::json disk() const { return nlohmann::json::parse(run_ferryfs({"status", "--json", to}).out).at("disk"); }
  mount_options options() const {
    mount_options o;
    o.source = from;
    o.destination = to;
    return o;
  }
};

const refused_syscall no_flags_in_renames{SYS_renameat2, EINVAL, 4};
const refused_syscall no_shared_memory{SYS_mmap, ENODEV, 3, 1};

}  // namespace

TEST_CASE("an ordinary disk needs no word; status --verbose says what it can do") {
  const local_archive a;
  const auto result = a.sync();
  CHECK(result.code == complete);
  CHECK(result.err == "");
  CHECK(a.disk().at("rename_no_replace") == true);
  const std::string text = run_ferryfs({"status", "--verbose", a.to}).out;
  CHECK_THAT(text, contains_text("rename no replace"));
  CHECK_THAT(text, contains_text("nothing is lacking"));
  CHECK_THAT(text, contains_text("times: "));
}

TEST_CASE("all arrives where renames take no flags, which is said in one line before and by status after") {
  const local_archive a;
  run_with_refused({no_flags_in_renames}, [&] { check_one_line(a.sync(), complete, "links do it"); });
  CHECK(difference(contents_below(a.from), contents_below(a.to)) == "");
  CHECK(a.disk().at("rename_no_replace") == false);
  CHECK_THAT(run_ferryfs({"status", "--verbose", a.to}).out, contains_text("has not: rename no replace"));
}

TEST_CASE("all arrives where neither owners nor modes can be set") {
  const local_archive a;
  run_with_refused({{SYS_fchown, EPERM}, {SYS_fchownat, EPERM}, {SYS_fchmod, EPERM}, {SYS_fchmodat, EPERM}},
                   [&] { check_one_line(a.sync(), complete, "permissions"); });
  CHECK(difference(contents_below(a.from), contents_below(a.to)) == "");
}

TEST_CASE("all arrives where processes share no memory, and an archive that is not mounted tells its state there") {
  const local_archive a;
  run_with_refused({no_shared_memory}, [&] {
    check_one_line(a.sync(), complete, "shared memory");
    write_old(a.from / "20240102/new.jpg", noise(20'000));
    CHECK(a.sync().code == complete);
    CHECK(run_ferryfs({"status", a.to}).code == complete);
    CHECK(run_ferryfs({"report", a.to}).code == complete);
  });
  CHECK(difference(contents_below(a.from), contents_below(a.to)) == "");
  CHECK(run_ferryfs({"status", a.to}).code == complete);  // on another kernel, or moved to another disk
}

TEST_CASE("a mount works on such a disk") {
  need_fuse();
  const local_archive a;
  run_with_refused({no_flags_in_renames, no_shared_memory}, [&] {
    mount_fixture mount{a.options()};
    CHECK(run_ferryfs({"status", a.to, "--wait", "20"}).code == complete);
    write_file(mount / "20240101/upload.tmp", "uploaded");
    fs::rename(mount / "20240101/upload.tmp", mount / "20240101/upload.jpg");
    fs::remove(mount / "20240101/1.jpg");
    CHECK(mount.stop() == 0);
    mount.start();
    CHECK(read_file(mount / "20240101/upload.jpg") == "uploaded");
    CHECK_FALSE(fs::exists(mount / "20240101/1.jpg"));
  });
  CHECK(read_file(a.to / "20240101/upload.jpg") == "uploaded");
}
