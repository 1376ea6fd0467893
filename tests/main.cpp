// The main of every test executable.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#include <csignal>

#include "tests/catch.hpp"
#include "tests/doubles/test_run.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const ferryfs::test::test_run run;
  return Catch::Session().run(argc, argv);
}
