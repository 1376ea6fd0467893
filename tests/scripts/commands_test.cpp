// The commands as an administrator uses them, without a mount.
#include <csignal>

#include <nlohmann/json.hpp>

#include "tests/doubles/relay.hpp"
#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// As many small pictures, over ten days.
void make_pictures(const fs::path& from, int count, std::size_t size = 1000) {
  for (int i = 0; i < count; ++i)
    write_old(from / ("202401" + std::to_string(10 + i % 10)) / (std::to_string(i) + ".jpg"),
              noise(size, static_cast<unsigned>(i)));
}

process_result sync(const ferry& f, std::vector<std::string> more = {}) {
  return run_ferryfs(sync_command(f.server, f.from, f.to, std::move(more)));
}

nlohmann::json status_of(const fs::path& path) {
  const auto result = run_ferryfs({"status", "--json", path});
  INFO(result.err << result.out);
  REQUIRE(nlohmann::json::accept(result.out));
  return nlohmann::json::parse(result.out);
}

}  // namespace

TEST_CASE("sync copies everything, and once more nothing") {
  const ferry f;
  make_pictures(f.from, 500);
  fs::create_symlink("20240110/0.jpg", f.from / "last.jpg");
  fs::create_directories(f.from / "empty");
  write_old(f.from / "empty.jpg", "");
  set_mtime(f.from / "20240110", long_ago - 1000);
  const auto first = sync(f);
  INFO(first.err);
  CHECK(first.code == complete);
  CHECK(first.err.empty());
  CHECK_THAT(first.out, contains_text("complete"));
  CHECK(difference(contents_below(f.from), contents_below(f.to)) == "");
  CHECK(out_of({"diff", "-r", "--no-dereference", "-x", ".ferryfs", f.from, f.to}).empty());
  CHECK(fs::last_write_time(f.from / "20240110") == fs::last_write_time(f.to / "20240110"));

  const auto inodes = out_of({"find", f.to, "-name", "*.jpg", "-printf", "%i %C@ %p\\n"});
  process_result again;
  CHECK(time_of([&] { again = sync(f); }) < 3s);
  CHECK(again.code == complete);
  CHECK(out_of({"find", f.to, "-name", "*.jpg", "-printf", "%i %C@ %p\\n"}) == inodes);

  write_old(f.from / "20240111/new.jpg", noise(100));
  CHECK(sync(f).code == complete);
  CHECK(read_file(f.to / "20240111/new.jpg") == noise(100));
}

TEST_CASE("sync leaves out what is excluded, and what its profile calls junk") {
  const ferry f;
  make_pictures(f.from, 10);
  write_old(f.from / "process-123/20240110120000.jpg", "scratch");
  write_old(f.from / "20240110/0a1b.tmp", "broken");
  write_old(f.from / "1700000000.42/20240110120000.jpg", "broken");
  write_old(f.from / "20240110/empty.jpg", "");
  write_old(f.from / "videos/day.avi", "video");
  const auto check = [&](const std::string& path, bool there) {
    INFO(path);
    CHECK(fs::exists(f.to / path) == there);
  };
  CHECK(sync(f, {"--profile", "webcampak", "--exclude", "videos/", "--exclude", "20240111/1.jpg"}).code == complete);
  check("20240110/0.jpg", true);
  check("20240112/2.jpg", true);
  for (const char* out :
       {"process-123", "20240110/0a1b.tmp", "1700000000.42", "20240110/empty.jpg", "videos", "20240111/1.jpg"})
    check(out, false);
  CHECK(status_of(f.to)["source"]["files"] == 9);
  CHECK(sync(f).code == complete);
  CHECK(difference(contents_below(f.from), contents_below(f.to)) == "");
}

TEST_CASE("options come from a TOML file, and the command line has the last word") {
  const ferry f;
  make_pictures(f.from, 10);
  write_old(f.from / "20240110/a.tmp", "x");
  const auto config = f.dir / "ferryfs.toml";
  write_file(config, "identity = \"" + f.server.identity().string() + "\"\nknown-hosts = \"" +
                         f.server.known_hosts().string() +
                         "\"\nexclude = [\"*.tmp\", \"20240111\"]\nsessions = 2\nlimit = \"none of it\"\n");
  const std::vector<std::string> command{"sync", f.server.url(f.from), f.to, "--config", config};
  check_one_line(run_ferryfs(command), usage, "--limit");
  auto corrected = command;
  corrected.insert(corrected.end(), {"--limit", "20M"});
  const auto result = run_ferryfs(corrected);
  INFO(result.err << result.out);
  CHECK(result.code == complete);
  CHECK(fs::exists(f.to / "20240112/2.jpg"));
  CHECK_FALSE(fs::exists(f.to / "20240110/a.tmp"));
  CHECK_FALSE(fs::exists(f.to / "20240111"));
  corrected.insert(corrected.end(), {"--exclude", "nothing"});
  CHECK(run_ferryfs(corrected).code == complete);
  CHECK(fs::exists(f.to / "20240110/a.tmp"));
  write_file(config, "this is = = no TOML");
  check_one_line(run_ferryfs(command), usage, "");
  write_file(config, "frobnicate = 7\n");
  check_one_line(run_ferryfs(command), usage, "frobnicate");
}

TEST_CASE("key files are those that were named, wherever later commands are called") {
  const ferry f;
  make_pictures(f.from, 3);
  fs::copy_file(f.server.known_hosts(), f.dir / "known");
  fs::copy_file(f.server.identity(), f.dir / "key");
  process_options in_dir;
  in_dir.directory = f.dir.path();
  const auto first =
      run({FERRYFS_BINARY, "sync", f.server.url(f.from), "destination", "--identity", "key", "--known-hosts", "known"},
          30s, in_dir);
  INFO(first.err);
  REQUIRE(first.code == complete);
  write_old(f.from / "20240110/later.jpg", "later");
  in_dir.directory = "/";
  const auto scanned = run({FERRYFS_BINARY, "scan", f.to}, 30s, in_dir);
  INFO(scanned.err);
  CHECK(status_of(f.to)["missing"]["files"] == 1);
}

TEST_CASE("the same path with other content on both sides is a conflict, and both stay as they are") {
  const ferry f;
  make_pictures(f.from, 10);
  write_old(f.to / "20240110/0.jpg", "somebody else's");
  write_old(f.to / "20240111/mine.jpg", "only here");
  write_old(f.to / "20240112", "a file where the source has a directory");
  const auto before = contents_below(f.from);
  check_one_line(sync(f), incomplete, "2 in conflict");
  CHECK(contents_below(f.from) == before);
  CHECK(read_file(f.to / "20240110/0.jpg") == "somebody else's");
  CHECK(read_file(f.to / "20240111/mine.jpg") == "only here");
  CHECK(read_file(f.to / "20240112") == "a file where the source has a directory");
  CHECK(read_file(f.to / "20240113/3.jpg") == read_file(f.from / "20240113/3.jpg"));
  const auto s = status_of(f.to);
  CHECK(s["conflict"]["files"] == 2);
  CHECK(s["new"]["files"] == 1);
  CHECK(s["complete"] == false);
}

TEST_CASE("Ctrl-C ends a sync at once, and the next completes it") {
  const ferry f;
  make_pictures(f.from, 400, 100'000);
  auto words = sync_command(f.server, f.from, f.to, {"--limit", "4M"});
  words.insert(words.begin(), FERRYFS_BINARY);
  process interrupted(words);
  REQUIRE(wait_until([&] { return contents_below(f.to).size() > 20; }));
  interrupted.signal(SIGINT);
  CHECK(interrupted.ended(2s));
  check_one_line(interrupted.wait(), incomplete, "interrupted");
  const auto here = contents_below(f.to);
  CHECK(here.size() < 400);
  CHECK(difference(contents_below(f.from), here, false) == "");
  CHECK(fs::is_empty(f.to / ".ferryfs/partial"));
  CHECK(sync(f).code == complete);
  CHECK(difference(contents_below(f.from), contents_below(f.to)) == "");
}

TEST_CASE("on a terminal a sync draws a few lines over and over, and takes them away at its end") {
  const ferry a;
  for (int i = 0; i < 40; ++i) write_old(a.from / ("202401" + std::to_string(10 + i)) / "1.jpg", noise(100'000));
  std::string command = FERRYFS_BINARY;
  for (const auto& word : sync_command(a.server, a.from, a.to)) command += " '" + word + "'";
  const auto r = run({"script", "-qec", command + " --limit 4M", "/dev/null"});
  INFO(r.out);
  CHECK(r.code == complete);
  const std::string frame = "\x1b[7A";  // seven lines up
  CHECK(std::count(r.out.begin(), r.out.end(), '#') > 0);
  REQUIRE(r.out.rfind(frame) != std::string::npos);
  CHECK(r.out.substr(r.out.rfind(frame)).starts_with(frame + "\x1b[J"));
  CHECK(r.out.ends_with("complete\r\n"));
}

TEST_CASE("sync and scan print the state at their end for programs") {
  const ferry a;
  write_old(a.from / "20240110/1.jpg", "picture");
  auto words = sync_command(a.server, a.from, a.to);
  words.emplace_back("--json");
  CHECK(nlohmann::json::parse(run_ferryfs(words).out)["complete"] == true);
  CHECK(nlohmann::json::parse(out_of({FERRYFS_BINARY, "scan", a.to, "--json"}))["source"]["files"] == 1);
}

TEST_CASE("fetch and scan work without a mount") {
  const ferry f;
  make_pictures(f.from, 100);
  CHECK(sync(f, {"--exclude", "*.jpg"}).code == complete);
  // The index knows the source; what was left out is found by the next scan with the settings it remembers.
  write_old(f.from / "20240115/x.png", noise(10));
  write_old(f.from / "20240116/y.png", noise(20));
  write_old(f.from / "20240116/z.png", noise(30));
  const auto scanned = run_ferryfs({"scan", f.to});
  INFO(scanned.err);
  CHECK(scanned.code == incomplete);
  CHECK(status_of(f.to)["missing"]["files"] == 3);
  CHECK(run_ferryfs({"fetch", f.to / "20240115/x.png"}).code == complete);
  CHECK(status_of(f.to)["missing"]["files"] == 2);
  CHECK(run_ferryfs({"fetch", f.to / "20240116"}).code == complete);
  CHECK(read_file(f.to / "20240116/z.png") == noise(30));
  check_one_line(run_ferryfs({"fetch", f.to / "20240116/nothing.png"}), incomplete, "nothing.png");
  const auto s = status_of(f.to);
  CHECK(s["missing"]["files"] == 0);
  CHECK(s["complete"] == true);
  CHECK(run_ferryfs({"status", f.to}).code == complete);
  check_one_line(run_ferryfs({"ctl", f.to, "rescan"}), usage, "not mounted");
}
