// skip, resolve, ready and verify without a mount, also without the old server.
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Synchronized, but for two conflicts and a picture that can't be read; the source is a directory that can go.
struct ended {
  temp_dir dir{"ended"};
  fs::path from = dir / "source", to = dir / "destination", away = dir / "away";
  ended() {
    for (const char* name : {"a.jpg", "b.jpg", "c.jpg", "c2.jpg"}) write_old(from / "day" / name, noise(5000));
    for (const char* name : {"a.jpg", "b.jpg"}) write_old(to / "day" / name, noise(4000, 2));
    check_one_line(ferryfs({"sync", from, to}), incomplete, "2 in conflict");
    write_old(from / "day/late.jpg", noise(7000, 3));
    CHECK(ferryfs({"scan", to}).code == incomplete);
    CHECK(files_in("missing") == 1);
  }
  static process_result ferryfs(const std::vector<std::string>& words) { return run_ferryfs(words); }
  std::size_t files_in(const char* set) const {
    return nlohmann::json::parse(ferryfs({"status", "--json", to}).out)[set]["files"];
  }
  void take_source_away() const { fs::rename(from, away); }
};

}  // namespace

TEST_CASE("gaps and conflicts are decided while the source is away, and stay decided") {
  ended e;
  e.take_source_away();
  CHECK(run_ferryfs({"skip", e.to / "day/late.jpg"}).code == complete);
  CHECK(run_ferryfs({"resolve", e.to / "day/a.jpg", "--keep", "destination"}).code == complete);
  check_one_line(run_ferryfs({"resolve", e.to / "day/b.jpg", "--keep", "source"}), source, "source");
  CHECK(run_ferryfs({"resolve", e.to / "day/b.jpg", "--keep", "both"}).code == complete);
  CHECK(run_ferryfs({"verify", e.to}).code == complete);
  const auto ready = run_ferryfs({"ready", e.to});
  CHECK(ready.code == incomplete);
  CHECK_THAT(ready.out, contains_text("the source is not reachable now"));
  CHECK_THAT(ready.out, contains_text("note: 1 picture (6.84 KiB) skipped"));
  CHECK(e.files_in("conflict") == 0);
  fs::rename(e.away, e.from);
  CHECK(run_ferryfs({"sync", e.from, e.to}).code == complete);
  CHECK((read_file(e.to / "day/b.source.jpg") == noise(5000)));
  CHECK((read_file(e.to / "day/b.jpg") == noise(4000, 2)));
  CHECK((read_file(e.to / "day/a.jpg") == noise(4000, 2)));
  CHECK_FALSE(fs::exists(e.to / "day/late.jpg"));
  CHECK(run_ferryfs({"fetch", e.to / "day/late.jpg"}).code == complete);
  CHECK((read_file(e.to / "day/late.jpg") == noise(7000, 3)));
}

TEST_CASE("a conflict is resolved for the source without a mount") {
  ended e;
  const auto done = run_ferryfs({"resolve", e.to / "day/a.jpg", e.to / "day/c.jpg", "--keep", "source"});
  CHECK(done.code == incomplete);
  CHECK(done.out == "1 conflict resolved\n");
  check_one_line(done, incomplete, "c.jpg: not in conflict");
  CHECK((read_file(e.to / "day/a.jpg") == noise(5000)));
  CHECK((read_file(e.to / "day/b.jpg") == noise(4000, 2)));
}

TEST_CASE("an archive is ready after a verify that compared it with its source, and not after a picture rots") {
  ended e;
  CHECK(run_ferryfs({"resolve", e.to, "--keep", "source"}).code == complete);
  CHECK(run_ferryfs({"sync", e.from, e.to}).code == complete);
  const auto verified = run_ferryfs({"verify", "--source", e.to});
  CHECK(verified.code == complete);
  CHECK_THAT(verified.out, contains_text("5 pictures as they should be"));
  const auto go = run_ferryfs({"ready", e.to});
  INFO(go.out << go.err);
  CHECK(go.code == complete);
  CHECK(go.out.starts_with("go"));
  write_old(e.to / "day/c.jpg", noise(5000, 9));
  const auto found = run_ferryfs({"verify", e.to});
  CHECK(found.code == incomplete);
  CHECK_THAT(found.out, contains_text("day/c.jpg: digest differs: "));
  CHECK_THAT(run_ferryfs({"ready", e.to}).out, contains_text("1 picture (4.88 KiB) in conflict"));
}
