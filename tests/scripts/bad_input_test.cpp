// Commands that can't be done say so in one line, with the exit code of their kind, and leave everything as it was.
#include <sys/mount.h>

#include "tests/catch.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/mount/mount_fixture.hpp"
#include "tests/mount/trees.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// A source with one picture, and a place for a destination that nobody may have made when the test ends.
struct place {
  temp_dir dir{"bad-input"};
  fs::path from = dir / "source";
  fs::path to = dir / "destination";

  place() { write_old(from / "20240101/a.jpg", noise(1000)); }
  ~place() {
    CHECK(contents_below(from) == tree{{"20240101", "/"}, {"20240101/a.jpg", noise(1000)}});
    CHECK_FALSE(fs::exists(from / ".ferryfs"));
  }
  void check_untouched() const { CHECK_FALSE(fs::exists(fs::symlink_status(to))); }
};

}  // namespace

TEST_CASE("a local source that is not there is refused, and no destination is made") {
  const place at;
  const auto command = GENERATE(as<std::string>(), "sync", "mount");
  check_one_line(run_ferryfs({command, at.dir / "nowhere", at.to}), source, "nowhere");
  at.check_untouched();
  check_one_line(run_ferryfs({command, at.from / "20240101/a.jpg", at.to}), source, "a.jpg");
  at.check_untouched();
}

TEST_CASE("what is no command line of ferryfs is refused, and no destination is made") {
  const place at;
  const std::string from = "SOURCE", to = "DESTINATION";  // each run of the test has its own
  auto words = GENERATE_COPY(values<std::vector<std::string>>({
      {"sync", from, to, "--frobnicate"},
      {"frobnicate", from, to},
      {},
      {"sync", from},
      {"sync", from, to, "third"},
      {"sync", from, to, "--limit", "many"},
      {"sync", from, to, "--limit", "-5"},
      {"sync", from, to, "--min-free", "20Q"},
      {"sync", from, to, "--profile", "motion"},
      {"sync", from, to, "--sessions", "0"},
      {"sync", from, to, "--io-timeout", "soon"},
      {"sync", from, to, "--log-level", "loud"},
      {"sync", from, to, "--config", "/nowhere/ferryfs.toml"},
      {"mount", from, to, "--umask", "99"},
      {"mount", from, to, "-f", "-o", "frobnicate=7"},
      {"sync", "sftp://root@127.0.0.1:22", to},
      {"sync", "sftp://root@127.0.0.1:seven/pictures", to},
      {"sync", "sftp://root:secret@127.0.0.1/pictures", to},
      {"sync", "sftp:///pictures", to},
      {"sync", "root@:pictures", to},
      {"sync", "", to},
  }));
  std::string shown;
  for (auto& word : words) {
    if (word == from) word = at.from;
    if (word == to) word = at.to;
    shown += " " + word;
  }
  INFO("ferryfs" << shown);
  const auto result = run_ferryfs(words);
  check_one_line(result, usage, "");
  CHECK(result.out.empty());
  CHECK_THAT(result.err, !contains_text("secret"));
  at.check_untouched();
}

TEST_CASE("a command for an archive says so where there is none") {
  const place at;
  const auto words = GENERATE(values<std::vector<std::string>>({{"status"}, {"scan"}, {"fetch"}, {"ctl"}}));
  auto command = words;
  command.push_back(at.from);
  if (words[0] == "ctl") command.emplace_back("pause");
  check_one_line(run_ferryfs(command), usage, "not in a ferryfs archive");
}

TEST_CASE("a destination that can't be written to is refused") {
  const place at;
  SECTION("a file stands there") {
    write_file(at.to, "a file");
    check_one_line(run_ferryfs({"sync", at.from, at.to}), local, at.to);
    CHECK(read_file(at.to) == "a file");
  }
  SECTION("its parent is not there") {
    check_one_line(run_ferryfs({"sync", at.from, at.dir / "no/such"}), local, at.dir / "no");
    CHECK_FALSE(fs::exists(at.dir / "no"));
  }
  SECTION("its file system is read-only") {
    if (::geteuid() != 0) skip("only root mounts a tmpfs");
    fs::create_directory(at.to);
    REQUIRE(::mount("none", at.to.c_str(), "tmpfs", MS_RDONLY, nullptr) == 0);
    check_one_line(run_ferryfs({"sync", at.from, at.to}), local, at.to);
    check_one_line(run_ferryfs({"sync", at.from, at.to / "below"}), local, at.to);
  }
}

TEST_CASE("a destination inside the source, or a source inside the destination, is refused") {
  const place at;
  const auto command = GENERATE(as<std::string>(), "sync", "mount");
  check_one_line(run_ferryfs({command, at.from, at.from / "copy"}), usage, "inside the source");
  check_one_line(run_ferryfs({command, at.from, at.from}), usage, "inside the source");
  check_one_line(run_ferryfs({command, at.from, at.dir.path()}), usage, "inside the destination");
  fs::create_directory_symlink(at.from, at.dir / "link");
  check_one_line(run_ferryfs({command, at.dir / "link", at.from / "20240101"}), usage, "inside the source");
  check_one_line(run_ferryfs({command, at.from, at.dir / "link/copy"}), usage, "inside the source");
  CHECK_FALSE(fs::exists(at.dir / ".ferryfs"));
}

TEST_CASE("a mountpoint that is no empty directory is refused") {
  need_fuse();
  const place at;
  SECTION("it is not there") {
    check_one_line(run_ferryfs({"mount", at.from, at.to, at.dir / "no"}), usage, at.dir / "no");
  }
  SECTION("it is a file") {
    write_file(at.dir / "file", "x");
    check_one_line(run_ferryfs({"mount", at.from, at.to, at.dir / "file"}), usage, at.dir / "file");
  }
  SECTION("it holds something") {
    write_file(at.dir / "point/x", "x");
    check_one_line(run_ferryfs({"mount", at.from, at.to, at.dir / "point"}), usage, "not empty");
    CHECK(contents_below(at.dir / "point") == tree{{"x", "x"}});
  }
  SECTION("it lies in the source") {
    fs::create_directory(at.from / "point");
    check_one_line(run_ferryfs({"mount", at.from, at.to, at.from / "point"}), usage, at.from / "point");
    fs::remove(at.from / "point");
  }
  at.check_untouched();
}
