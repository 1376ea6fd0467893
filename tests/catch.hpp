// Catch2 v2 (Debian 12) and v3 (Debian 13) behind one name.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#define FERRYFS_CATCH_V3 1
#include <catch2/catch_all.hpp>
#else
#define FERRYFS_CATCH_V3 0
#include <catch2/catch.hpp>
#endif

#include <cstdlib>
#include <iostream>
#include <string>

namespace ferryfs::test {

// Ends the running test case as skipped, from any depth. CTest knows it by the word that is printed
// (SKIP_REGULAR_EXPRESSION), because v2 knows no skipped tests: there it ends with no assertion failed.
[[noreturn]] inline void skip(const std::string& reason) {
  std::cout << "SKIPPED: " << reason << std::endl;
#if FERRYFS_CATCH_V3
  SKIP(reason);
  std::abort();
#else
  throw Catch::TestFailureException{};
#endif
}

// The matcher that v2 calls Contains and v3 ContainsSubstring.
inline auto contains_text(const std::string& text) {
#if FERRYFS_CATCH_V3
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}

}  // namespace ferryfs::test
