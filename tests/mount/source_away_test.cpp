// The old server's disk goes away in the midst of a migration, as after a reboot without it, and comes back: nothing is
// forgotten, nothing comes back, and no word that is said meanwhile is false.
#include <sys/mount.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int pictures = 60;

std::string name_of(int i) { return "20240101/" + std::to_string(i) + ".jpg"; }
std::string content_of(int i) { return noise(20'000 + static_cast<std::size_t>(i), static_cast<unsigned>(i)); }

// The empty directory that the disk is mounted over.
class bare_mount_point {
 public:
  bare_mount_point(const fs::path& empty, const fs::path& over) : over_(over) {
    REQUIRE(::mount(empty.c_str(), over.c_str(), nullptr, MS_BIND, nullptr) == 0);
  }
  ~bare_mount_point() { ::umount2(over_.c_str(), MNT_DETACH); }

 private:
  fs::path over_;
};

// Asks again and again, and keeps what must never be said.
class listener {
 public:
  explicit listener(const fs::path& at)
      : thread_([this, at](const std::stop_token& stop) {
          while (!stop.stop_requested()) listen(at);
        }) {}
  std::vector<std::string> stop() {
    thread_.request_stop();
    thread_.join();
    return false_words_;
  }

 private:
  void listen(const fs::path& at) {
    const auto status = nlohmann::json::parse(read_file(at / ".ferryfs/status.json"));
    if (status["complete"] == true) false_words_.push_back(status.dump());
    if (read_file(at / ".ferryfs/metrics").find("\nferryfs_complete 1") != std::string::npos)
      false_words_.emplace_back("metrics: complete");
    if (read_file(at / ".ferryfs/index.html").find("\"complete\":true") != std::string::npos)
      false_words_.emplace_back("index.html: complete");
    if (run_ferryfs({"ready", "--quick", at}).code == 0) false_words_.emplace_back("ready --quick: go");
  }
  std::vector<std::string> false_words_;
  std::jthread thread_;
};

void check_decisions(const fs::path& at) {
  CHECK_FALSE(fs::exists(at / name_of(0)));
  CHECK_FALSE(fs::exists(at / name_of(1)));
  CHECK(fs::exists(at / "20240101/kept.jpg"));
  CHECK_THAT(run_ferryfs({"report", at, "--list", "skipped"}).out, contains_text(name_of(2)));
  CHECK(read_file(at / name_of(3)) == "ours");
}

}  // namespace

TEST_CASE("the source's disk goes away and comes back in the midst of a migration", "[slow]") {
  ferry f;
  const fs::path empty = f.dir / "empty";
  fs::create_directory(empty), fs::create_directory(f.to);
  for (int i = 0; i < pictures; ++i) write_old(f.from / name_of(i), content_of(i));
  const bool over_ssh = GENERATE(true, false);
  auto o = f.options({"--rescan", "1", "--paused"});
  if (!over_ssh) o.source = f.from, o.arguments = {"--rescan", "1", "--paused"};
  mount_fixture mount{o};
  for (const char* says : {"is blocked", "the source is empty", "unreachable", "fetch failed", "paused"})
    mount.expect_log(says);
  const fs::path at = mount.mountpoint();
  rescan(at);

  for (int i = 10; i < 20; ++i) CHECK(read_file(at / name_of(i)) == content_of(i));
  fs::remove(at / name_of(0));
  fs::rename(at / name_of(1), at / "20240101/kept.jpg");
  CHECK(run_ferryfs({"skip", at / name_of(2)}).code == 0);
  write_file(at / name_of(3), "ours");

  listener words{at};
  for (int round = 0; round < 2; ++round) {
    {
      const bare_mount_point away{empty, f.from};
      CHECK(wait_until(
          [&] { return !nlohmann::json::parse(read_file(at / ".ferryfs/status.json"))["suspicious"].is_null(); }));
      for (int rescans = 0; rescans < 2; ++rescans) {
        const auto last_scan = [&] {
          return nlohmann::json::parse(read_file(at / ".ferryfs/status.json"))["source"]["last_scan"];
        };
        const auto before = last_scan();
        REQUIRE(wait_until([&] { return last_scan() != before; }));
      }
      check_decisions(at);
      const auto ready = run_ferryfs({"ready", at});
      CHECK(ready.code == 1);
      CHECK_THAT(ready.out, contains_text("ferryfs scan --believe"));
      CHECK(run_ferryfs({"push", at}).code != 0);
      CHECK(fs::is_empty(empty));
      CHECK(read_file(at / name_of(12)) == content_of(12));
      fs::remove(at / ("20240101/" + std::to_string(50 + round) + ".jpg"));
    }
    CHECK(wait_until(
        [&] { return nlohmann::json::parse(read_file(at / ".ferryfs/status.json"))["suspicious"].is_null(); }));
    check_decisions(at);
    CHECK(read_file(at / name_of(30 + round)) == content_of(30 + round));
  }
  CHECK(words.stop().empty());
  CHECK(files_in(at, "lost") == 0);

  CHECK(run_ferryfs({"resolve", at / name_of(3), "--keep", "destination"}).code == 0);
  CHECK(run_ferryfs({"ctl", at, "resume"}).code == 0);
  CHECK(run_ferryfs({"status", at, "--wait", "60"}, 70s).code == 0);
  const auto go = run_ferryfs({"ready", at}, 60s);
  INFO(go.out << go.err);
  CHECK(go.code == 0);
  CHECK(mount.stop() == 0);
  CHECK_FALSE(fs::exists(f.to / name_of(0)));
  CHECK_FALSE(fs::exists(f.to / name_of(50)));
  CHECK(read_file(f.to / "20240101/kept.jpg") == content_of(1));
  for (int i = 4; i < 50; ++i) CHECK((read_file(f.to / name_of(i)) == content_of(i)));
}
