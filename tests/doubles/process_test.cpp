#include "tests/doubles/process.hpp"

#include <csignal>

#include "tests/catch.hpp"
#include "tests/doubles/process_tree.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;

TEST_CASE("a process tells its exit code, output and errors") {
  const auto result = run({"sh", "-c", "echo to out; echo to err >&2; exit 7"});
  CHECK(result.code == 7);
  CHECK_FALSE(result.timed_out);
  CHECK(result.out == "to out\n");
  CHECK(result.err == "to err\n");
}

TEST_CASE("a process is run where and with what is said") {
  const temp_dir dir;
  process_options options;
  options.directory = dir.path();
  options.environment = {"FERRY=over"};
  const auto result = run({"sh", "-c", "pwd; echo $FERRY"}, 10s, options);
  CHECK(result.out == dir.path().string() + "\nover\n");
}

TEST_CASE("more output than a pipe holds blocks nobody") {
  const auto result = run({"sh", "-c", "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2"});
  CHECK(result.code == 0);
  CHECK(result.out.size() == 3'000'000);
  CHECK(result.err.size() == 2'000'000);
}

TEST_CASE("a process that takes too long is killed with its children") {
  process shell({"sh", "-c", "sleep 600 & echo $!; wait"});
  REQUIRE(wait_until([&] { return shell.out().ends_with('\n'); }));
  const pid_t sleeper = std::stoi(shell.out());
  const auto result = shell.wait(10ms);
  CHECK(result.timed_out);
  CHECK(result.code == 128 + SIGKILL);
  CHECK(wait_until([&] { return state_of(sleeper) == 0 || state_of(sleeper) == 'Z'; }));
}

TEST_CASE("a process reads what is written to it, and takes signals") {
  process_options options;
  options.pipe_stdin = true;
  process cat({"cat"}, options);
  cat.write("hello");
  CHECK(wait_until([&] { return cat.out() == "hello"; }));
  CHECK_FALSE(cat.ended());
  SECTION("its end") {
    cat.close_stdin();
    CHECK(cat.wait().code == 0);
  }
  SECTION("a signal") {
    cat.signal(SIGTERM);
    CHECK(cat.wait().code == 128 + SIGTERM);
  }
}

TEST_CASE("the destructor leaves no process") {
  pid_t pid = 0;
  {
    const process sleeper({"sleep", "600"});
    pid = sleeper.pid();
    CHECK(state_of(pid) != 0);
  }
  CHECK(state_of(pid) == 0);
}

TEST_CASE("a command that there isn't is an exception that names it") {
  CHECK_THROWS_WITH(run({"/nowhere/command"}), contains_text("/nowhere/command"));
}
