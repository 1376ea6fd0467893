// Reading a log that is rotated meanwhile: every line once, in order.
#include "fs/cli/log_reader.hpp"

#include <filesystem>

#include "index/base/error.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {
namespace {

struct growing_log {
  temp_dir dir{"log"};
  fs::log_reader reader{dir.path().string()};
  std::string text;  // of the newest file

  void add(const std::string& more) { write_file(dir / "log", text += more); }
  void rotate() {
    std::error_code none;
    std::filesystem::rename(dir / "log.1", dir / "log.2", none);
    std::filesystem::rename(dir / "log", dir / "log.1");
    text.clear();
  }
  std::string read(bool all = false) {
    std::string lines;
    const bool wants_more =
        reader.read_new([&](std::string_view line) { return lines.append(line).append("|"), true; }, all);
    CHECK(wants_more);
    return lines;
  }
};

TEST_CASE("a log is read from its oldest file on, and then what comes", "[log_reader]") {
  growing_log log;
  CHECK_THROWS_AS(log.read(), error);
  log.add("a\nb\n"), log.rotate();
  log.add("c\nd");
  CHECK(log.read() == "a|b|c|");
  CHECK(log.read() == "");
  log.add("e\nf\n");
  CHECK(log.read() == "de|f|");
  log.rotate();
  CHECK(log.read() == "");
  log.add("");
  CHECK(log.read() == "");
  log.add("g\n");
  CHECK(log.read() == "g|");
}

TEST_CASE("no line is lost or told twice over rotations", "[log_reader]") {
  growing_log log;
  log.add("a\n");
  CHECK(log.read() == "a|");
  log.add("b\n"), log.rotate();
  log.add("c\n"), log.rotate();
  log.add("d\n");
  CHECK(log.read() == "b|c|d|");
  // The line that was read last has gone: all that is left is newer.
  for (const char* line : {"e\n", "f\n", "g\n", "h\n"}) log.rotate(), log.add(line);
  CHECK(log.read() == "f|g|h|");
}

TEST_CASE("the same log at another place is gone on with, and a last line without an end is told when asked for",
          "[log_reader]") {
  growing_log log;
  log.add("a\nb");
  CHECK(log.read() == "a|");
  const temp_dir other{"log"};
  write_file(other / "log", "a\nbc\nd");
  log.reader.move_to(other.path().string());
  CHECK(log.read(true) == "bc|d|");
}

}  // namespace
}  // namespace ferryfs::test
