// The mount shows the source as it is while nothing of it has been copied.
#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// Whatever may stand in an archive.
void make_odd_tree(const fs::path& from) {
  write_old(from / "sources/source1/pictures/20240101/20240101120000.jpg", noise(70'000));
  write_old(from / "sources/source1/pictures/20240101/20240101120010.jpg", noise(300'000, 2), long_ago + 86'400);
  write_old(from / "empty.jpg", "");
  fs::create_directories(from / "empty directory/within");
  write_old(from / "new\nline.jpg", "a");
  write_old(from / "\xff\xfe\x80 no UTF-8", "bb");
  write_old(from / (std::string(251, 'n') + ".jpg"), "ccc");
  write_old(from / " blank ", "d");
  write_old(from / "-rf", "e");
  write_old(from / "\\'\"$(id)", "f");
  write_old(from / "ümläut/日本.jpg", "g");
  fs::path deep = from / "deep";
  for (int i = 0; i < 40; ++i) deep /= "level" + std::to_string(i);
  write_old(deep / "bottom.jpg", noise(5000, 3));
  fs::create_symlink("sources/source1/pictures/20240101/20240101120000.jpg", from / "last.jpg");
  fs::create_symlink("nowhere/\xff", from / "dangling");
  fs::create_symlink("/etc/passwd", from / "absolute");
  for (const char* link : {"last.jpg", "dangling", "absolute"}) set_mtime(from / link, long_ago);
  fs::permissions(from / "empty.jpg", fs::perms(0604));
  fs::permissions(from / "empty directory", fs::perms(0750));
}

std::set<std::string> found(const fs::path& root, const std::vector<std::string>& tests) {
  std::vector<std::string> command{"find", root, "-mindepth", "1"};
  command.insert(command.end(), tests.begin(), tests.end());
  command.emplace_back("-printf");
  command.emplace_back("%P %s %y\\0");
  std::set<std::string> lines;
  const auto text = out_of(command);
  for (std::size_t at = 0, end; (end = text.find('\0', at)) != text.npos; at = end + 1) {
    auto line = text.substr(at, end - at);
    if (line.ends_with(" d")) line.erase(line.rfind(' ', line.size() - 3));  // a directory's size is nobody's business
    lines.insert(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("the view agrees with the source while nothing is local") {
  const ferry f;
  make_odd_tree(f.from);
  auto options = f.options({"--paused", "--links", "all"});
  if (GENERATE(true, false)) options.source = f.from;
  INFO("source: " << options.source);
  mount_fixture mount(options);
  mount.expect_log(still_says);

  CHECK(names_in(mount.mountpoint()) == names_in(f.from));
  CHECK(difference(attributes_below(f.from), attributes_below(mount.mountpoint())) == "");
  CHECK(found(mount.mountpoint(), {}) == found(f.from, {}));
  CHECK(found(mount.mountpoint(), {"-size", "+0"}) == found(f.from, {"-size", "+0"}));
  CHECK(out_of({"ls", "-1A", mount.mountpoint()}) == out_of({"ls", "-1A", f.from}));
  const auto bytes = [](const fs::path& root) {
    return out_of({"sh", "-c", "find \"$1\" -type f -printf '%s\\n' | awk '{s+=$1} END {print s}'", "sh", root});
  };
  CHECK(bytes(mount.mountpoint()) == bytes(f.from));
  CHECK(contents_below(f.to).empty());
}

TEST_CASE("du -b of pictures and df work on what is not here yet") {
  const ferry f;
  for (int i = 0; i < 30; ++i) write_old(f.from / ("day/" + std::to_string(i) + ".jpg"), noise(1000 + i));
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  std::vector<std::string> here{"sh", "-c", "cd \"$1\"/day && du -bc *", "sh", mount.mountpoint()}, there = here;
  there.back() = f.from;
  CHECK(out_of(here) == out_of(there));
  struct statvfs shown {
  }, real{};
  REQUIRE(::statvfs(mount.mountpoint().c_str(), &shown) == 0);
  REQUIRE(::statvfs(f.to.c_str(), &real) == 0);
  CHECK(shown.f_blocks * shown.f_frsize == real.f_blocks * real.f_frsize);
  CHECK_THAT(out_of({"df", mount.mountpoint()}), contains_text(mount.mountpoint().string()));
  struct stat st {};
  REQUIRE(::stat((mount / "day/5.jpg").c_str(), &st) == 0);
  CHECK(st.st_blocks * 512 >= st.st_size);  // or tar and cp take it for a hole
  CHECK(contents_below(f.to).empty());
}

TEST_CASE("the mount's own directory is not listed but can be reached, and status.json tells all") {
  const ferry f;
  write_old(f.from / "20240101/a.jpg", noise(1000));
  write_old(f.to / "20240101/b.jpg", noise(500));
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  CHECK(names_in(mount.mountpoint()) == std::vector<std::string>{"20240101"});
  CHECK(names_in(mount / ".ferryfs") == std::vector<std::string>{"README", "control", "index.html", "lists", "metrics",
                                                                 "reports", "status.json", "watch"});

  nlohmann::json s;
  REQUIRE(wait_until([&] {
    s = nlohmann::json::parse(read_file(mount / ".ferryfs/status.json"));
    return s["missing"]["files"] == 1 && s["new"]["files"] == 1 && !s["source"]["last_scan"].is_null();
  }));
  INFO(s.dump(2));
  CHECK(s["source"]["url"] == f.server.url(f.from));
  CHECK(s["source"]["reachable"] == true);
  CHECK(s["source"]["files"] == 1);
  CHECK(s["source"]["bytes"] == 1000);
  CHECK(s["destination"]["files"] == 1);
  CHECK(s["destination"]["bytes"] == 500);
  for (const char* set : {"common", "missing", "new", "conflict", "deleted", "skipped", "failed"}) {
    INFO(set);
    CHECK(s[set]["files"].is_number_unsigned());
    CHECK(s[set]["bytes"].is_number_unsigned());
  }
  CHECK(s["missing"]["bytes"] == 1000);
  CHECK(s["transfer"]["paused"].is_boolean());
  CHECK(s["transfer"]["rate"].is_number());
  CHECK(s["transfer"].contains("eta_s"));
  CHECK(s["transfer"]["active"].is_array());
  CHECK(s["complete"] == false);
  struct stat st {};
  REQUIRE(::stat((mount / ".ferryfs/control").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0600);
}

TEST_CASE("a mount that somebody still uses ends all the same when it is told to", "[slow]") {
  const ferry f;
  write_old(f.from / "1.jpg", noise(50'000));
  mount_fixture mount(f.options(still));  // what is here may be read on past ferryfs
  mount.expect_log(still_says);
  const descriptor used{::open((mount / "1.jpg").c_str(), O_RDONLY | O_CLOEXEC)};
  REQUIRE(used);
  CHECK(mount.stop() == 0);
  std::array<char, 16> bytes{};
  CHECK(::pread(used.get(), bytes.data(), bytes.size(), 40'000) == -1);
  CHECK(errno == ENOTCONN);
}

TEST_CASE("what ls shows of a picture stays the same when it becomes local, and over a new mount") {
  const ferry f;
  write_old(f.from / "20240101/a.jpg", noise(100'000));
  write_old(f.from / "20240101/b.jpg", noise(100), long_ago + 7);
  fs::permissions(f.from / "20240101/a.jpg", fs::perms(0640));
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  const auto shown = [&] {
    return out_of({"find", mount / "20240101", "-name", "*.jpg", "-printf", "%P %i %s %T@ %m %n %U %G\\n"});
  };
  const auto before = shown();
  CHECK(attribute(mount / "20240101/a.jpg") == "remote");
  CHECK(attribute(mount / "20240101/a.jpg", "sha256") == "(" + std::to_string(ENODATA) + ")");
  CHECK(read_file(mount / "20240101/a.jpg") == noise(100'000));
  REQUIRE(wait_until([&] { return attribute(mount / "20240101/a.jpg") == "local"; }));
  CHECK(attribute(mount / "20240101/a.jpg", "sha256") ==
        out_of({"sha256sum", f.from / "20240101/a.jpg"}).substr(0, 64));
  CHECK(attribute(mount / "20240101/b.jpg") == "remote");
  CHECK(shown() == before);
  CHECK(mount.stop() == 0);
  mount.start();
  CHECK(shown() == before);
  CHECK(attribute(mount / "20240101/a.jpg") == "local");
  CHECK(attribute(mount / "20240101/b.jpg") == "remote");
}
