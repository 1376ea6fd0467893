// The whole engine in a simulation: from an empty destination to rest, the same for the same seed.
#include "tests/catch.hpp"
#include "tests/simulation/simulation.hpp"

namespace ferryfs::test {
namespace {

// The stacks of a fiber are not those that a sanitizer knows.
void begin() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  skip("built with a sanitizer, which knows no fibers");
#endif
  prepare_simulation();
}

}  // namespace

TEST_CASE("a migration comes to rest, with nobody at work") {
  begin();
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    CHECK(simulate(seed, {.crashes = false, .steps = 0}).problem == "");
  }
}

TEST_CASE("the same seed gives the same trace, also after others") {
  begin();
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) hashes.push_back(simulate(seed, {}).hash);
  for (std::uint64_t seed = 10; seed >= 1; --seed) {
    CAPTURE(seed);
    CHECK(simulate(seed, {}).hash == hashes[seed - 1]);
  }
}

TEST_CASE("a migration with people at work on both sides and crashes comes to rest with all that it should have") {
  begin();
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const auto result = simulate(seed, {});
    CHECK(result.problem == "");
  }
}

}  // namespace ferryfs::test
