// skip, resolve, ready and verify on a mounted archive, with the real program.
#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/doubles/descriptor.hpp"
#include "tests/mount/ferry.hpp"
#include "tests/mount/passthrough.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

nlohmann::json status_of(const fs::path& path) {
  return nlohmann::json::parse(run_ferryfs({"status", "--json", path}).out);
}

void rescan(const fs::path& path) { CHECK(run_ferryfs({"ctl", path, "rescan"}).code == 0); }

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// A day with a gap and two conflicts: ours are shorter.
struct undecided {
  ferry f;
  std::optional<mount_fixture> mount;
  explicit undecided(std::vector<std::string> arguments = {}) {
    write_old(f.from / "day/gap.jpg", noise(50'000, 1));
    for (const char* name : {"a.jpg", "b.jpg"}) {
      write_old(f.from / "day" / name, noise(60'000, 2));
      write_old(f.to / "day" / name, noise(40'000, 3));
    }
    arguments.insert(arguments.end(), still.begin(), still.end());
    mount.emplace(f.options(arguments));
    mount->expect_log(still_says);
    rescan(mount->mountpoint());
    REQUIRE(status_of(mount->mountpoint())["conflict"]["files"] == 2);
  }
  fs::path operator/(const fs::path& below) const { return *mount / below; }
  process_result resolve(const fs::path& path, const std::string& keep) const {
    return run_ferryfs({"resolve", *mount / path, "--keep", keep});
  }
  std::size_t files_in(const char* set) const { return status_of(mount->mountpoint())[set]["files"]; }
};

}  // namespace

TEST_CASE("a skipped gap is shown and readable, and keeps the archive from nothing") {
  undecided u;
  CHECK(u.resolve("", "destination").code == 0);
  CHECK(run_ferryfs({"status", u.mount->mountpoint()}).code == 1);
  const auto done = run_ferryfs({"skip", u / "day"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, contains_text("skipped 1 picture, 48.8 KiB"));
  CHECK(run_ferryfs({"status", u.mount->mountpoint()}).code == 0);
  CHECK(u.files_in("skipped") == 1);
  CHECK(attribute(u / "day/gap.jpg") == "remote");
  rescan(u.mount->mountpoint());
  CHECK(u.files_in("skipped") == 1);
  CHECK((read_file(u / "day/gap.jpg") == noise(50'000, 1)));
  CHECK(wait_until([&] { return u.files_in("skipped") == 0; }));
  CHECK(run_ferryfs({"skip", u / "nothing"}).code == 1);
}

TEST_CASE("a conflict is resolved for what is here, and comes back with another picture only") {
  undecided u;
  CHECK(attribute(u / "day/a.jpg") == "conflict");
  const auto done = u.resolve("day/a.jpg", "destination");
  CHECK((done.code == 0 && done.out == "1 conflict resolved\n"));
  CHECK(attribute(u / "day/a.jpg") == "local");
  rescan(u.mount->mountpoint());
  CHECK(u.files_in("conflict") == 1);
  CHECK(u.files_in("new") == 1);
  CHECK(u.files_in("deleted") == 1);
  CHECK((read_file(u / "day/a.jpg") == noise(40'000, 3)));
  write_old(u.f.from / "day/a.jpg", noise(70'000, 4));
  rescan(u.mount->mountpoint());
  CHECK(attribute(u / "day/a.jpg") == "conflict");
  CHECK((read_file(u.f.to / "day/a.jpg") == noise(40'000, 3)));
}

TEST_CASE("a conflict is resolved for the source, also for who has the picture open") {
  const bool passed = GENERATE(false, true);
  undecided u{passed ? std::vector<std::string>{} : std::vector<std::string>{"-o", "nopassthrough"}};
  REQUIRE((read_file(u / "day/a.jpg") == noise(40'000, 3)));
  const descriptor open{::open((u / "day/a.jpg").c_str(), O_RDONLY | O_CLOEXEC)};
  REQUIRE(open.get() >= 0);
  const auto done = u.resolve("day", "source");
  INFO(done.err);
  CHECK((done.code == 0 && done.out == "2 conflicts resolved\n"));
  CHECK((read_file(u.f.to / "day/a.jpg") == noise(60'000, 2)));
  CHECK(attribute(u / "day/a.jpg") == "local");
  CHECK(wait_until([&] { return fs::file_size(u / "day/a.jpg") == 60'000; }));
  CHECK(wait_until([&] { return read_file(u / "day/a.jpg") == noise(60'000, 2); }));
  std::string through(60'000, '\0');
  const auto read = ::pread(open.get(), through.data(), through.size(), 0);
  if (passed && passthrough_possible(u.f.to)) {  // the file that he opened, and all of it, as after any rename over it
    CHECK((through.substr(0, static_cast<std::size_t>(read)) == noise(40'000, 3)));
    for (const int flags : {O_RDWR, O_RDWR | O_TRUNC})  // a mapping would be of the file that he opened
      CHECK((::open((u / "day/a.jpg").c_str(), flags) == -1 && errno == EBUSY));
    CHECK((read_file(u / "day/a.jpg") == noise(60'000, 2)));
  } else {
    CHECK((through.substr(0, static_cast<std::size_t>(read)) == noise(60'000, 2)));
  }
  rescan(u.mount->mountpoint());
  CHECK(u.files_in("conflict") == 0);
}

TEST_CASE("a picture that is being written here is not replaced") {
  undecided u;
  {
    const descriptor open{::open((u / "day/a.jpg").c_str(), O_WRONLY | O_CLOEXEC)};
    REQUIRE(open.get() >= 0);
    const auto refused = u.resolve("day", "source");
    CHECK(refused.code == 1);
    CHECK(refused.out == "1 conflict resolved\n");
    CHECK_THAT(refused.err, contains_text("ferryfs: day/a.jpg: it is being written here"));
    CHECK(lines_of(refused.err) == 1);
    const auto ready = run_ferryfs({"ready", u.mount->mountpoint()});
    CHECK_THAT(ready.out, contains_text("1 picture open for writing here"));
  }
  CHECK((read_file(u.f.to / "day/a.jpg") == noise(40'000, 3)));
  CHECK(wait_until([&] { return u.resolve("day/a.jpg", "source").code == 0; }));
  CHECK((read_file(u.f.to / "day/a.jpg") == noise(60'000, 2)));
}

TEST_CASE("both pictures of a conflict can be had side by side") {
  undecided u;
  CHECK(out_of({"ls", u / "day"}) == "a.jpg\nb.jpg\ngap.jpg\n");
  CHECK_FALSE(fs::exists(u / "day/a.source.jpg"));
  CHECK(u.resolve("day/a.jpg", "both").code == 0);
  CHECK(wait_until([&] { return out_of({"ls", u / "day"}) == "a.jpg\na.source.jpg\nb.jpg\ngap.jpg\n"; }));
  CHECK(attribute(u / "day/a.jpg") == "local");
  CHECK(attribute(u / "day/a.source.jpg") == "remote");
  rescan(u.mount->mountpoint());
  CHECK((read_file(u / "day/a.source.jpg") == noise(60'000, 2)));
  CHECK((read_file(u / "day/a.jpg") == noise(40'000, 3)));
  CHECK(u.files_in("conflict") == 1);
  CHECK(wait_until([&] { return fs::exists(u.f.to / "day/a.source.jpg"); }));
}

TEST_CASE("what is no conflict is refused in a line, a directory without one is not") {
  undecided u;
  const auto gap = u.resolve("day/gap.jpg", "both");
  CHECK((gap.code == 1 && gap.err == "ferryfs: day/gap.jpg: not in conflict\n" && gap.out.empty()));
  CHECK(u.resolve("day", "destination").code == 0);
  const auto none = u.resolve("day", "destination");
  CHECK((none.code == 0 && none.out == "0 conflicts resolved\n"));
  CHECK(run_ferryfs({"resolve", u / "day"}).code == 2);
  CHECK(u.resolve("day", "mine").code == 2);
}

TEST_CASE("ready says what is missing for the end, and go when nothing is") {
  const ferry f;
  for (int i = 0; i < 20; ++i)
    write_old(f.from / "day" / (std::to_string(i) + ".jpg"), noise(10'000, static_cast<unsigned>(i)));
  mount_fixture mount(f.options());
  REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "30"}, 40s).code == 0);
  const auto quick = run_ferryfs({"ready", mount.mountpoint(), "--quick"});
  CHECK(quick.code == 1);
  CHECK_THAT(quick.out, contains_text("not a verdict\n"));
  // As tar and rsync put it back: `ready` looks into the directory all the same.
  const auto time = fs::last_write_time(f.from / "day");
  write_old(f.from / "day/unseen.jpg", noise(10'000, 99));
  fs::last_write_time(f.from / "day", time);
  const auto looked = run_ferryfs({"ready", mount.mountpoint()});
  CHECK((looked.code == 1 || fs::exists(f.to / "day/unseen.jpg")));  // it may have been fetched by then
  CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "30"}, 40s).code == 0);
  const auto go = run_ferryfs({"ready", mount.mountpoint(), "--json"});
  INFO(go.out);
  CHECK(go.code == 0);
  CHECK(nlohmann::json::parse(go.out)["go"] == true);
}

TEST_CASE("verify finds a picture that has rotted under the mount") {
  const ferry f;
  write_old(f.from / "a.jpg", noise(10'000));
  mount_fixture mount(f.options());
  mount.expect_log("digest differs");
  REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "30"}, 40s).code == 0);
  write_old(f.to / "a.jpg", noise(10'000, 2));
  const auto found = run_ferryfs({"verify", mount / "a.jpg"});
  CHECK(found.code == 1);
  CHECK_THAT(found.out, contains_text("a.jpg: digest differs: "));
  CHECK(attribute(mount / "a.jpg") == "conflict");
  CHECK(run_ferryfs({"resolve", mount / "a.jpg", "--keep", "source"}).code == 0);
  CHECK((read_file(f.to / "a.jpg") == noise(10'000)));
  CHECK(run_ferryfs({"verify", mount.mountpoint()}).code == 0);
}
