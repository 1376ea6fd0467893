#include "tests/simulation/trace.hpp"

#include <cstdio>

#include "index/base/clock.hpp"

namespace ferryfs::test {
namespace {

void print(const std::string& line) {
  const auto us = scheduler::current() != nullptr
                      ? std::chrono::duration_cast<std::chrono::microseconds>(steady_now().time_since_epoch()).count()
                      : 0;
  std::printf("%9lld.%06lld %s\n", static_cast<long long>(us / 1'000'000), static_cast<long long>(us % 1'000'000),
              line.c_str());
}

}  // namespace

void trace::add(const std::string& line) {
  for (const char c : line) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  hash_ = (hash_ ^ '\n') * 1099511628211ULL;
  if (prints_) print(line);
}

}  // namespace ferryfs::test
