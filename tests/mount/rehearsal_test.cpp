// A whole migration: both servers active, the old one restarted and frozen at times, conflicts, deletes, renames; then
// the last scan, go or no-go, the way to an ordinary directory, and the way back.
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int days = 30, pictures_a_day = 100, uploads = 150;

std::string old_name(int day, int number) {
  return "202401" + std::to_string(10 + day) + "/" + std::to_string(number) + ".jpg";
}
std::string old_content(int day, int number) {
  return noise(2'000 + static_cast<std::size_t>(number) * 50, static_cast<unsigned>(day * 1000 + number));
}

struct rehearsal {
  ferry f;
  std::mutex mutex;
  tree view;    // what everybody expects to see in the end
  tree source;  // and what is on the old server before the way back
  mount_options options() const {
    auto o = f.options({"--limit", "1500K", "--rescan", "1"});
    o.mountpoint.clear();  // over the destination
    return o;
  }

  rehearsal() {
    for (int day = 0; day < days; ++day)
      for (int i = 0; i < pictures_a_day; ++i) put_old(old_name(day, i), old_content(day, i));
    fs::create_directory(f.to);
  }
  void put_old(const std::string& path, const std::string& content, bool seen = true) {
    // As an upload ends: under its name, whole, and older than a file that is still being written.
    write_old(f.dir / "upload", content);
    fs::create_directories((f.from / path).parent_path());
    fs::rename(f.dir / "upload", f.from / path);
    const std::lock_guard lock{mutex};
    const std::string directory = fs::path(path).parent_path();
    source[path] = content, source[directory] = "/";
    if (seen) view[path] = content, view[directory] = "/";
  }
  void put_new(const std::string& path, const std::string& content) {
    const fs::path to = f.to / path;
    fs::create_directories(to.parent_path());
    write_file(to.string() + ".part", content);
    fs::rename(to.string() + ".part", to);
    const std::lock_guard lock{mutex};
    view[path] = content, view[to.parent_path().lexically_relative(f.to)] = "/";
  }
  nlohmann::json status() const { return nlohmann::json::parse(run_ferryfs({"status", "--json", f.to}).out); }
};

// Cameras that know the new server, and cameras that do not.
void upload_to_both(rehearsal& r) {
  std::thread camera([&] {
    for (int i = 0; i < uploads; ++i)
      r.put_old("20240301/" + std::to_string(i) + ".jpg", noise(3'000, static_cast<unsigned>(90'000 + i)));
  });
  for (int i = 0; i < uploads; ++i)
    r.put_new("20240302/" + std::to_string(i) + ".jpg", noise(4'000, static_cast<unsigned>(80'000 + i)));
  camera.join();
}

// Five names get another picture on each side.
void make_conflicts(rehearsal& r) {
  for (int i = 0; i < 5; ++i) {
    const std::string path = "20240303/" + std::to_string(i) + ".jpg";
    r.put_new(path, noise(5'000, static_cast<unsigned>(i)));
    r.put_old(path, noise(6'000, static_cast<unsigned>(i)), false);
  }
}

// The changes that customers make meanwhile, to pictures that are here and to such that are not.
void change(rehearsal& r) {
  fs::remove_all(r.f.to / "20240112");
  for (int i = 0; i < 10; ++i) fs::remove(r.f.to / old_name(5, i));
  fs::rename(r.f.to / "20240120", r.f.to / "best-of-20240120");
  for (int i = 0; i < 10; ++i)
    fs::rename(r.f.to / old_name(7, i), r.f.to / ("20240118/" + std::to_string(i) + "-again.jpg"));
  const std::lock_guard lock{r.mutex};
  for (int i = 0; i < pictures_a_day; ++i) {
    r.view.erase(old_name(2, i));
    r.view["best-of-20240120/" + std::to_string(i) + ".jpg"] = old_content(10, i);
    r.view.erase(old_name(10, i));
    if (i >= 10) continue;
    r.view.erase(old_name(5, i));
    r.view["20240118/" + std::to_string(i) + "-again.jpg"] = old_content(7, i);
    r.view.erase(old_name(7, i));
  }
  r.view.erase("20240112"), r.view.erase("20240120");
  r.view["best-of-20240120"] = "/";
}

void disturb(ferry& f) {
  f.server.freeze();
  const auto until = std::chrono::steady_clock::now() + 1500ms;
  wait_until([&] { return std::chrono::steady_clock::now() >= until; });
  f.server.thaw();
  f.server.restart();
}

}  // namespace

TEST_CASE("a whole migration, with everybody at work on both servers", "[slow]") {
  rehearsal r;
  mount_fixture mount(r.options());
  mount.expect_log("unreachable");
  REQUIRE(run_ferryfs({"scan", r.f.to}).code == 0);
  upload_to_both(r);
  change(r);
  disturb(r.f);
  make_conflicts(r);
  disturb(r.f);
  CHECK(run_ferryfs({"ready", r.f.to}).code == 1);

  REQUIRE(run_ferryfs({"ctl", r.f.to, "limit", "0"}).code == 0);
  // The old server was restarted a moment ago: it may count as unreachable still.
  REQUIRE(wait_until([&] { return run_ferryfs({"scan", r.f.to}, 60s).code == 0; }, 60s));
  CHECK(wait_until([&] { return r.status()["missing"]["files"] == 0; }, 60s));
  CHECK(r.status()["failed"]["files"] == 0);
  CHECK(r.status()["conflict"]["files"] == 5);
  CHECK(r.status()["deleted"]["files"] == pictures_a_day + 10);
  const auto listed = run_ferryfs({"report", r.f.to, "--list", "conflict"});
  for (int i = 0; i < 5; ++i) CHECK_THAT(listed.out, contains_text("20240303/" + std::to_string(i) + ".jpg"));
  CHECK(difference(r.view, contents_below(r.f.to)) == "");
  const auto undecided = run_ferryfs({"ready", r.f.to});
  CHECK(undecided.code == 1);
  CHECK_THAT(undecided.out + undecided.err, contains_text("conflict"));

  CHECK(run_ferryfs({"resolve", r.f.to / "20240303/0.jpg", r.f.to / "20240303/1.jpg", "--keep", "destination"}).code ==
        0);
  CHECK(run_ferryfs({"resolve", r.f.to / "20240303/2.jpg", "--keep", "source"}).code == 0);
  CHECK(run_ferryfs({"resolve", r.f.to / "20240303/3.jpg", r.f.to / "20240303/4.jpg", "--keep", "both"}).code == 0);
  r.view["20240303/2.jpg"] = noise(6'000, 2);
  for (unsigned i : {3U, 4U}) r.view["20240303/" + std::to_string(i) + ".source.jpg"] = noise(6'000, i);
  CHECK(run_ferryfs({"scan", r.f.to}, 60s).code == 0);
  CHECK(run_ferryfs({"status", r.f.to, "--wait", "30"}, 40s).code == 0);
  CHECK(run_ferryfs({"verify", r.f.to, "--source"}, 120s).code == 0);
  const auto go = run_ferryfs({"ready", r.f.to});
  INFO(go.out << go.err);
  CHECK(go.code == 0);

  CHECK(mount.stop() == 0);
  CHECK(difference(r.view, contents_below(r.f.to)) == "");
  CHECK(difference(r.source, contents_below(r.f.from)) == "");

  // The way back: what is new goes to the old server, and nothing there is changed or removed.
  const auto pushed = run_ferryfs({"push", r.f.to}, 120s);
  INFO(pushed.out << pushed.err);
  for (const auto& [path, content] : contents_below(r.f.to))
    if (path.starts_with("20240302/")) r.source[path] = content;
  r.source["20240302"] = "/";
  CHECK(difference(r.source, contents_below(r.f.from)) == "");
}
