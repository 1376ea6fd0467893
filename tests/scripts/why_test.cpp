// Why something is not here: sync, status and the lists give the reason of each failure.
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/doubles/rogue.hpp"
#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// An old server that does not give all that it lists.
struct unwilling {
  temp_dir dir{"why"};
  sshd server;
  fs::path to = dir / "destination";

  explicit unwilling(const std::string& how)
      : server([&] {
          sshd_options options;
          options.sftp_command = std::string(FERRYFS_ROGUE_SFTP) + " " + how;
          return options;
        }()) {}
  process_result sync() const { return run_ferryfs(sync_command(server, rogue::root, to)); }
  mount_options options() const {
    mount_options o;
    o.source = server.url(rogue::root);
    o.destination = to;
    o.arguments = {"--identity", server.identity(), "--known-hosts", server.known_hosts()};
    return o;
  }
};

std::string list(const fs::path& path, const std::string& set) {
  return out_of({FERRYFS_BINARY, "report", path, "--list", set});
}

nlohmann::json list_json(const fs::path& path, const std::string& set) {
  return nlohmann::json::parse(out_of({FERRYFS_BINARY, "report", path, "--list", set, "--format", "json"}));
}

// As the list of failures should stand: a line each as in any list, with the reason behind a tab.
std::string as_text(const nlohmann::json& pictures) {
  std::string text;
  for (const auto& p : pictures)
    text += std::to_string(p["size"].get<std::uint64_t>()) + ' ' + p["path"].get<std::string>() + '\t' +
            p["reason"].get<std::string>() + '\n';
  return text;
}

void check_reasons(const fs::path& path) {
  const auto pictures = list_json(path, "failed");
  REQUIRE(pictures.size() == 2);
  for (const auto& p : pictures) {
    CHECK(p["path"].get<std::string>().starts_with("20240101/"));
    CHECK_THAT(p["reason"].get<std::string>(), contains_text(p["path"].get<std::string>()));
  }
  CHECK(list(path, "failed") == as_text(pictures));
  CHECK(list_json(path / "20240101", "failed") == pictures);
  CHECK(list_json(path / "20240102", "failed").empty());
  const auto status = run_ferryfs({"status", path});
  CHECK_THAT(status.out, contains_text(pictures[0]["reason"].get<std::string>()));
}

}  // namespace

TEST_CASE("each failure's reason is told, by sync, by status and in the list, mounted or not") {
  const unwilling u{"failure"};
  const auto synced = u.sync();
  check_one_line(synced, incomplete, "2 failed");
  check_reasons(u.to);
  for (const auto& p : list_json(u.to, "failed")) CHECK_THAT(synced.out, contains_text(p["reason"].get<std::string>()));
  mount_fixture mount{u.options()};
  mount.expect_log("fetch failed");
  check_reasons(mount.mountpoint());
  CHECK(read_file(mount / ".ferryfs/lists/failed.txt").find('\t') == std::string::npos);
}

TEST_CASE("what is refused or not listed has its reason as JSON and on a terminal, and its lines are as of any list") {
  const auto [how, set] = GENERATE(table<std::string, std::string>({{"long-name", "refused"}, {"denied", "unlisted"}}));
  INFO(set);
  const unwilling u{how};
  CHECK(u.sync().code == incomplete);
  const auto names = list_json(u.to, set);
  REQUIRE(names.size() == 1);
  CHECK_FALSE(names[0]["reason"].get<std::string>().empty());
  CHECK(std::count_if(names.begin(), names.end(), [](const auto& n) { return n.contains("reason"); }) == 1);
  const std::string line = "0 " + names[0]["path"].get<std::string>() + "\n";
  CHECK(list(u.to, set) == line);
  const auto shown =
      out_of({"script", "-qec", FERRYFS_BINARY " report " + u.to.string() + " --list " + set, "/dev/null"});
  CHECK_THAT(shown, contains_text(names[0]["reason"].get<std::string>()));
  mount_fixture mount{u.options()};
  for (const char* says : {"20240101", "scan"}) mount.expect_log(says);
  run_ferryfs({"scan", mount.mountpoint()});
  CHECK(list_json(mount.mountpoint(), set) == names);
  CHECK(list(mount.mountpoint(), set) == line);
}

TEST_CASE("a wait for pictures that fail again and again ends, and says that they do", "[slow]") {
  const unwilling u{"failure"};
  mount_fixture mount{u.options()};
  mount.expect_log("fetch failed");
  // The first failure is tried again after half a minute; after the second the pause is too long to be waited for.
  const auto waited = run_ferryfs({"status", mount.mountpoint(), "--wait"}, 90s);
  check_one_line(waited, incomplete, "2 failed (ferryfs report --list failed)");
}
