// The second opinion: scripts/check-migration of two trees that no ferryfs has touched, and decisions that the test
// took.
#include "tests/catch.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/mount/trees.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

struct two_archives {
  temp_dir dir{"check"};
  fs::path from = dir / "old", to = dir / "new", decisions = dir / "decisions";
  two_archives() {
    for (const fs::path& at : {from, to}) {
      for (const char* day : {"20240101", "20240102"})
        for (const char* name : {"1.jpg", "2.jpg", "3.jpg"}) write_file(at / day / name, std::string(day) + name);
      fs::create_symlink("20240102/3.jpg", at / "last");
    }
    write_file(to / ".ferryfs/index.db", "not looked at");
  }
  process_result check(std::vector<std::string> more = {}) const {
    std::vector<std::string> command{FERRYFS_SOURCE_DIR "/scripts/check-migration", from, to};
    if (fs::exists(decisions)) command.insert(command.end(), {"--decisions", decisions});
    command.insert(command.end(), more.begin(), more.end());
    return run(command, std::chrono::seconds(20));
  }
  void decide(const std::string& verb_and_paths) {
    decided += "2026-11-24T14:03:52.000Z\t" + verb_and_paths + '\n';
    write_file(decisions, decided);
  }
  std::string decided;
};

// Nothing but these lines, and the summary.
void check_said(const process_result& r, int code, const std::string& lines) {
  INFO(r.err);
  CHECK(r.code == code);
  CHECK(r.out.substr(0, r.out.rfind('\n', r.out.size() - 2) + 1) == lines);
}

}  // namespace

TEST_CASE("two archives that hold the same are the same, whatever lies in .ferryfs") {
  const two_archives a;
  const auto r = a.check();
  CHECK(r.code == 0);
  CHECK(r.out == "9 there, 9 here: 9 the same, 0 explained, 0 not explained\n");
}

TEST_CASE("what is missing, different or extra is said and no success") {
  const two_archives a;
  std::string lines;
  SECTION("missing") {
    fs::remove(a.to / "20240101/2.jpg");
    lines = "missing 20240101/2.jpg: no decision explains it\n";
  }
  SECTION("a whole day") {
    fs::remove_all(a.to / "20240101");
    for (const char* path : {"", "/1.jpg", "/2.jpg", "/3.jpg"})
      lines += "missing 20240101" + std::string(path) + ": no decision explains it\n";
  }
  SECTION("shorter") {
    write_file(a.to / "20240101/2.jpg", "2");
    lines = "different 20240101/2.jpg: 13 bytes there, 1 here: no decision explains it\n";
  }
  SECTION("other bytes of the same size and time") {
    write_old(a.from / "20240101/2.jpg", "one");
    write_old(a.to / "20240101/2.jpg", "two");
    lines = "different 20240101/2.jpg: other bytes after 0: no decision explains it\n";
  }
  SECTION("another target") {
    fs::remove(a.to / "last");
    fs::create_symlink("20240102/2.jpg", a.to / "last");
    lines = "different last: another target: no decision explains it\n";
  }
  SECTION("another kind") {
    fs::remove(a.to / "last");
    write_file(a.to / "last", "20240102/3.jpg");
    lines = "different last: another kind of file: no decision explains it\n";
  }
  SECTION("extra") {
    write_file(a.to / "20240103/1.jpg", "x");
    lines = "extra 20240103: no decision explains it\nextra 20240103/1.jpg: no decision explains it\n";
  }
  SECTION("a name of bytes and line breaks") {
    write_file(a.from / "a\n\t\\\xff.jpg", "x");
    lines = "missing a\\n\\t\\\\\xff.jpg: no decision explains it\n";
  }
  check_said(a.check(), 1, lines);
}

TEST_CASE("decisions explain what differs, each with its time, and only what they are about") {
  two_archives a;
  const std::string at = " 2026-11-24T14:03:52.000Z";
  std::string lines;
  int code = 0;
  SECTION("deleted") {
    a.decide("deleted\t20240101/2.jpg");
    fs::remove(a.to / "20240101/2.jpg");
    lines = "missing 20240101/2.jpg: deleted" + at + '\n';
  }
  SECTION("deleted, and back all the same") {
    a.decide("deleted\t20240101/2.jpg");
    lines = "extra 20240101/2.jpg, the old one though deleted" + at + ": no decision explains it\n";
    code = 1;
  }
  SECTION("deleted, and taken back") {
    a.decide("deleted\t20240101");
    a.decide("undeleted\t20240101");
  }
  SECTION("a day renamed, and a picture in it") {
    a.decide("renamed\t20240101\told\\tday");
    a.decide("renamed\told\\tday/1.jpg\tfirst.jpg");
    fs::rename(a.to / "20240101", a.to / "old\tday");
    fs::rename(a.to / "old\tday/1.jpg", a.to / "first.jpg");
    const std::string day = "renamed" + at + ", to old\\tday";
    lines = "missing 20240101: " + day + "\nmissing 20240101/1.jpg: renamed" + at +
            ", to first.jpg\nmissing 20240101/2.jpg: " + day + "/2.jpg\nmissing 20240101/3.jpg: " + day + "/3.jpg\n";
  }
  SECTION("renamed, but its bytes are others") {
    a.decide("renamed\t20240101/1.jpg\tfirst.jpg");
    fs::remove(a.to / "20240101/1.jpg");
    write_file(a.to / "first.jpg", "20240101x.jpg");
    lines = "missing 20240101/1.jpg: renamed" + at +
            ", to first.jpg\ndifferent first.jpg: other bytes after 0: no decision explains it\n";
    code = 1;
  }
  SECTION("swapped") {
    a.decide("exchanged\t20240101\t20240102");
    fs::rename(a.to / "20240101", a.to / "between");
    fs::rename(a.to / "20240102", a.to / "20240101");
    fs::rename(a.to / "between", a.to / "20240102");
  }
  SECTION("renamed over another that nobody deleted") {
    a.decide("renamed\t20240101/1.jpg\t20240101/2.jpg");
    fs::rename(a.to / "20240101/1.jpg", a.to / "20240101/2.jpg");
    lines = "missing 20240101/1.jpg: renamed" + at +
            ", to 20240101/2.jpg\nmissing 20240101/2.jpg, another was renamed to its name: no decision explains it\n";
    code = 1;
  }
  SECTION("renamed over another that was deleted by that") {
    a.decide("deleted\t20240101/2.jpg");
    a.decide("renamed\t20240101/1.jpg\t20240101/2.jpg");
    fs::rename(a.to / "20240101/1.jpg", a.to / "20240101/2.jpg");
    lines = "missing 20240101/1.jpg: renamed" + at + ", to 20240101/2.jpg\n";
  }
  SECTION("skipped") {
    a.decide("skipped\t20240101");
    fs::remove(a.to / "20240101/1.jpg");
    lines = "missing 20240101/1.jpg: skipped" + at + '\n';
  }
  SECTION("skipped, and wanted after all") {
    a.decide("skipped\t20240101");
    a.decide("wanted\t20240101/1.jpg");
    fs::remove(a.to / "20240101/1.jpg");
    lines = "missing 20240101/1.jpg: no decision explains it\n";
    code = 1;
  }
  SECTION("ours kept") {
    a.decide("kept-destination\t20240101/1.jpg");
    write_file(a.to / "20240101/1.jpg", "ours");
    lines = "different 20240101/1.jpg: 13 bytes there, 4 here: kept-destination" + at + '\n';
  }
  SECTION("theirs kept") {
    a.decide("kept-destination\t20240101/1.jpg");
    a.decide("kept-source\t20240101/1.jpg");
    write_file(a.to / "20240101/1.jpg", "ours");
    lines = "different 20240101/1.jpg: 13 bytes there, 4 here: no decision explains it\n";
    code = 1;
  }
  SECTION("a link taken over") { a.decide("accepted-link\tlast\t20240102/3.jpg"); }
  SECTION("both kept") {
    a.decide("kept-both\t20240101/1.jpg\t20240101/1.source.jpg");
    fs::rename(a.to / "20240101/1.jpg", a.to / "20240101/1.source.jpg");
    write_file(a.to / "20240101/1.jpg", "ours");
    lines = "extra 20240101/1.jpg: kept-both" + at + '\n';
  }
  SECTION("written by the test") {
    a.decide("written\t20240103/1.jpg");
    a.decide("renamed\t20240103/1.jpg\t20240103/2.jpg");
    write_file(a.to / "20240103/2.jpg", "new");
    lines = "extra 20240103/2.jpg: written" + at + '\n';
  }
  SECTION("written by the test, and lost") {
    a.decide("written\t20240101/1.jpg");
    a.decide("written\tnew.jpg");
    fs::remove(a.to / "20240101/1.jpg");
    lines = "missing 20240101/1.jpg: no decision explains it\nmissing new.jpg, which was written" + at +
            ": no decision explains it\n";
    code = 1;
  }
  check_said(a.check(), code, lines);
}

TEST_CASE("what was uploaded may be allowed, but not what was deleted and is back") {
  two_archives a;
  write_file(a.to / "20240103/1.jpg", "x");
  check_said(a.check({"--allow-new"}), 0, "extra 20240103: new here\nextra 20240103/1.jpg: new here\n");
  a.decide("deleted\t20240101/1.jpg");
  CHECK(a.check({"--allow-new", "--exclude", "20240103"}).code == 1);
  write_file(a.to / "20240101/1.jpg", "made anew");
  CHECK(a.check({"--allow-new"}).code == 0);
}

TEST_CASE("what was left out on purpose counts on neither side") {
  const two_archives a;
  write_file(a.from / "tmp/x.tmp", "x");
  write_file(a.from / "20240101/y.tmp", "y");
  write_file(a.to / "20240101/z.tmp", "z");
  CHECK(a.check().code == 1);
  check_said(a.check({"--exclude", "*.tmp", "--exclude", "tmp"}), 0, "");
}

TEST_CASE("a check that cannot be made is no success") {
  two_archives a;
  CHECK(a.check({"--decisions", a.dir / "none"}).code == 2);
  a.decide("forgotten\t20240101");
  const auto r = a.check();
  CHECK(r.code == 2);
  CHECK_THAT(r.err, contains_text("line 1"));
  fs::remove_all(a.to);
  CHECK(a.check().code == 2);
}
