// The log: a line a message, whatever the message holds.
#include "fs/process/log.hpp"

#include <spdlog/spdlog.h>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {
namespace {

TEST_CASE("nothing in a log line ends it or steers the terminal that shows it") {
  const temp_dir dir{"log"};
  const auto before = spdlog::default_logger();
  fs::log_to_file((dir / "log").string(), "info");
  spdlog::info("{}: Gr\u00fc\u00dfe", "a\nb\x1b[2J\xff");
  spdlog::warn("next");
  spdlog::set_default_logger(before);
  const std::string text = read_file(dir / "log");
  CHECK_THAT(text, contains_text(" info: a\\x0ab\\x1b[2J\\xff: Gr\u00fc\u00dfe\n"));
  CHECK_THAT(text, contains_text(" warning: next\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

}  // namespace
}  // namespace ferryfs::test
