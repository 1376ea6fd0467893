// A whole migration from a server of each make, and the way back: what comes over, and what each does in its own way.
#include <sys/stat.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"
#include "tests/servers/real_server.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Where a server is different from OpenSSH's.
struct manners {
  std::string kind;
  bool shell = false;          // it runs sha256sum
  bool shows_links = true;     // a server that does not leaves them out of its listings
  bool makes_links = true;     // with `symlink`, as it is asked to
  bool replaces = true;        // it says that it can (posix-rename@openssh.com)
  bool bytes_in_names = true;  // what is no UTF-8 costs the directory that it is in
  bool sets_modes = true;
  bool tells_times = true;     // of what was just written
  std::string newline = "\n";  // as it arrives
};

constexpr int days = 6, pictures_a_day = 50;
const std::string odd = "20240107", bytes = "20240108";

std::string day_of(int number) { return "2024010" + std::to_string(number); }
std::string picture(int day, int number) { return day_of(day) + "/" + std::to_string(number) + ".jpg"; }
std::string content(int day, int number) {
  return noise(10'000 + static_cast<std::size_t>(number) * 1000, static_cast<unsigned>(day * 1000 + number));
}

tree sizes_and_times(const fs::path& root) {
  return tree_of(root, [](const fs::path&, const struct stat& st) {
    if (!S_ISREG(st.st_mode)) return std::string(S_ISLNK(st.st_mode) ? "link" : "directory");
    return std::to_string(st.st_size) + " bytes of " + std::to_string(st.st_mtim.tv_sec);
  });
}

struct migration {
  const manners how;
  temp_dir dir{"migration"};
  fs::path from = dir / "source", to = dir / "destination";
  std::unique_ptr<real_server> server;

  explicit migration(manners m) : how(std::move(m)) {
    need_fuse();
    for (int day = 1; day <= days; ++day)
      for (int i = 0; i < pictures_a_day; ++i)
        write_old(from / picture(day, i), content(day, i), i % 7 == 0 ? 925'000'000 : long_ago);
    write_old(from / odd / "with a space.jpg", "space");
    write_old(from / odd / "new\nline.jpg", "newline");
    write_old(from / odd / "na\xc3\xafve caf\xc3\xa9.jpg", "UTF-8");
    write_old(from / odd / "-n 'quoted' \"$(id)\" back\\slash", "quoted");
    write_old(from / odd / "large.raw", noise(20'000'000, 99));
    write_old(from / odd / "empty.jpg", "");
    write_old(from / bytes / "bad\xff\xfe.jpg", "bytes");
    fs::create_symlink("../20240101/1.jpg", from / odd / "inside.jpg");
    fs::create_symlink("/etc/hostname", from / odd / "outside.jpg");
    for (const char* link : {"inside.jpg", "outside.jpg"}) set_mtime(from / odd / link, long_ago);
    server = start_server(how.kind, dir.path());
  }

  mount_options options() const {
    mount_options o;
    o.source = server->url(from);
    o.destination = to;
    o.arguments = server->login();
    o.foreground = false;
    for (const char* word : {"--quiet", "1", "--paused", "--io-timeout", "20"}) o.arguments.emplace_back(word);
    return o;
  }
  nlohmann::json status() const { return nlohmann::json::parse(run_ferryfs({"status", "--json", to}).out); }
  std::uint64_t files(const char* set) const { return status()[set]["files"]; }
  std::string listed(const std::string& set) const { return run_ferryfs({"report", to, "--list", set}).out; }

  // The source's names, as this server lets them be seen.
  tree expected() const {
    tree found;
    for (const auto& [name, reported] : sizes_and_times(from)) {
      if (!how.shows_links && reported == "link") continue;
      if (!how.bytes_in_names && name.starts_with(bytes + '/')) continue;
      std::string path = name;
      if (const auto at = path.find('\n'); at != std::string::npos) path.replace(at, 1, how.newline);
      found.emplace(path, reported);
    }
    return found;
  }

  void browse(const mount_fixture& mount) const {
    // A directory that can't be listed is an error for who asks, and no empty one.
    if (!how.bytes_in_names) {
      std::error_code refused;
      fs::directory_iterator{mount / bytes, refused};
      CHECK(refused == std::errc::io_error);
      CHECK_THAT(listed("unlisted"), contains_text(bytes));
      CHECK(run_ferryfs({"skip", mount / bytes}).code == complete);
    }
    tree seen;
    for (const auto& day : names_in(mount.mountpoint())) {
      seen.emplace(day, "directory");
      if (!how.bytes_in_names && day == bytes) continue;
      for (const auto& [path, reported] : sizes_and_times(mount / day)) seen.emplace(day + "/" + path, reported);
    }
    CHECK(difference(expected(), seen) == "");
  }

  void read_a_missing_one(const mount_fixture& mount) const {
    CHECK(attribute(mount / picture(3, 7)) == "remote");
    CHECK((read_file(mount / picture(3, 7)) == content(3, 7)));
    CHECK(wait_until([&] { return attribute(mount / picture(3, 7)) == "local"; }));
  }

  void replicate(const mount_fixture& mount) const {
    REQUIRE(run_ferryfs({"ctl", to, "resume"}).code == complete);
    CHECK(wait_until([&] { return files("missing") == 0; }, 120s));
    CHECK(files("refused") == (how.shows_links ? 1 : 0));
    if (how.shows_links) {
      const auto no = run_ferryfs({"ready", to});
      CHECK(no.code == incomplete);
      CHECK_THAT(no.out, contains_text("1 symbolic link of the source refused"));
      CHECK(run_ferryfs({"resolve", mount / odd / "outside.jpg", "--keep", "source"}).code == complete);
    }
    const auto waited = run_ferryfs({"status", to, "--wait", "60"}, 70s);
    INFO(waited.out << waited.err);
    CHECK(waited.code == complete);
    const auto verified = run_ferryfs({"verify", "--source", to}, 120s);
    INFO(verified.out << verified.err);
    CHECK(verified.code == complete);
  }

  void push_new(const mount_fixture& mount) const {
    write_old(mount / day_of(2) / "new.jpg", noise(3'000'000, 5));
    write_old(mount / day_of(2) / "new \xc3\xa9\n'2'.jpg", "odd");
    write_old(mount / "20240109/deep/er/empty.jpg", "");
    write_old(mount / "20240109/mode.jpg", "mode", 1'000'000'000);
    fs::permissions(mount / "20240109/mode.jpg", fs::perms{0640});
    fs::create_symlink("mode.jpg", mount / "20240109/link.jpg");
    const auto pushed = run_ferryfs({"push", to}, 60s);
    INFO(pushed.out << pushed.err);
    if (how.makes_links) {
      CHECK(pushed.code == complete);
      CHECK(fs::read_symlink(from / "20240109/link.jpg") == "mode.jpg");
    } else {
      CHECK(pushed.code == incomplete);
      CHECK_THAT(pushed.err, contains_text("1 refused: ") && contains_text("20240109/link.jpg: "));
      CHECK_FALSE(fs::exists(fs::symlink_status(from / "20240109/link.jpg")));
      fs::remove(mount / "20240109/link.jpg");
    }
    CHECK_THAT(pushed.out + pushed.err, contains_text(how.makes_links ? "sent 5 files" : "sent 4 files"));
    if (!how.tells_times) CHECK_THAT(pushed.out + pushed.err, contains_text("have another time or mode there"));
    for (const auto* path :
         {"20240102/new.jpg", "20240102/new \xc3\xa9\n'2'.jpg", "20240109/deep/er/empty.jpg", "20240109/mode.jpg"}) {
      INFO(path);
      // One that writes behind is waited for.
      CHECK(wait_until([&] { return there(path) == read_file(mount / path); }));
      CHECK(wait_until([&] { return time_of_last_write(from / path) == time_of_last_write(mount / path); }));
    }
    CHECK((fs::status(from / "20240109/mode.jpg").permissions() == fs::perms{0640}) == how.sets_modes);
    CHECK(files("new") == 0);
  }

  void push_overwritten(const mount_fixture& mount) const {
    write_old(mount / picture(1, 5), "changed here");
    const auto pushed = run_ferryfs({"push", "--overwritten", to});
    INFO(pushed.out << pushed.err);
    if (how.replaces) {
      CHECK(pushed.code == complete);
      CHECK(wait_until([&] { return there(picture(1, 5)) == "changed here"; }));
    } else {
      check_one_line(pushed, source, "cannot replace a file in one step");
      CHECK((there(picture(1, 5)) == content(1, 5)));
      CHECK(run_ferryfs({"resolve", mount / picture(1, 5), "--keep", "destination"}).code == complete);
    }
    CHECK(files("conflict") == 0);
  }

  void lose_one_there() const {
    fs::remove(from / picture(4, 9));
    const auto scanned = run_ferryfs({"scan", to});
    INFO(scanned.out << scanned.err);
    CHECK(listed("new").find(picture(4, 9)) != std::string::npos);
    CHECK(files("conflict") == 0);
    CHECK(listed("conflict") == "");
  }

  void be_ready() const {
    const auto go = run_ferryfs({"ready", to}, 120s);
    INFO(go.out << go.err);
    CHECK(go.code == complete);
    CHECK_THAT(go.out, contains_text("go: "));
  }

  // By other eyes, and with nothing of ferryfs running.
  void compare() const {
    std::vector<std::string> words{FERRYFS_SOURCE_DIR "/scripts/check-migration", from, to, "--allow-new"};
    if (fs::exists(to / ".ferryfs/decisions")) words.insert(words.end(), {"--decisions", to / ".ferryfs/decisions"});
    if (!how.bytes_in_names) words.insert(words.end(), {"--exclude", bytes + "/*"});
    if (how.newline != "\n")
      for (const auto& name : {"new\nline.jpg", "new?line.jpg", "new*2'.jpg"})
        words.insert(words.end(), {"--exclude", name});
    if (!how.shows_links) words.insert(words.end(), {"--exclude", "inside.jpg", "--exclude", "outside.jpg"});
    const auto result = run(words);
    CHECK(result.code == 0);
    CHECK_THAT(result.out, contains_text(", 0 not explained"));
    if (result.code != 0) std::cout << result.out << result.err;
  }

  void run_all() {
    {
      mount_fixture mount{options()};
      browse(mount);
      read_a_missing_one(mount);
      replicate(mount);
      push_new(mount);
      push_overwritten(mount);
      lose_one_there();
      be_ready();
      CHECK(mount.stop() == 0);
      const auto log = read_file(to / ".ferryfs/log");
      INFO(log);
      CHECK((log.find("digests are made by reading the files back") == std::string::npos) == how.shell);
    }
    compare();
  }

 private:
  std::string there(const fs::path& path) const {
    return fs::exists(from / path) ? read_file(from / path) : "(absent)";
  }
  static std::time_t time_of_last_write(const fs::path& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 ? st.st_mtim.tv_sec : -1;
  }
};

}  // namespace

TEST_CASE("from OpenSSH's server and back", "[slow]") { migration({.kind = "OpenSSH", .shell = true}).run_all(); }

TEST_CASE("from dropbear with OpenSSH's sftp-server, and back", "[slow]") {
  migration({.kind = "dropbear", .shell = true}).run_all();
}

TEST_CASE("from ProFTPD's mod_sftp and back", "[slow]") { migration({.kind = "ProFTPD"}).run_all(); }

TEST_CASE("from rclone serve sftp and back", "[slow]") {
  migration({.kind = "rclone",
             .shows_links = false,
             .makes_links = false,
             .sets_modes = false,
             .tells_times = false,
             .newline = "\xe2\x90\x8a"})
      .run_all();
}

TEST_CASE("from a server made with paramiko, and back", "[slow]") {
  migration({.kind = "paramiko", .replaces = false, .bytes_in_names = false}).run_all();
}

TEST_CASE("from a server made with asyncssh, and back", "[slow]") { migration({.kind = "asyncssh"}).run_all(); }
