// Many seeds of the simulation. Exit code: 0 clean, 1 a failure, 2 usage.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/simulation.hpp"

namespace ferryfs::test {
namespace {

constexpr const char* usage =
    "usage: simulate [--seeds N] [--minutes N] [--from N] [--jobs N] | --seed N [--trace]\n"
    "  Runs the migrations of seeds, from 1 or --from on: 1000, or --seeds, or as many as --minutes give time for.\n"
    "  --seed N     that one alone; --trace prints what happens in it\n"
    "  --jobs N     as many processes at once (2)\n"
    "  --no-crash   no process is killed, and no power cut\n"
    "  --fails      calls of the disk fail while people work\n"
    "  --go-on      a failure does not end it\n";

// What a crash leaves in memory goes with its process: each runs as many seeds and ends.
constexpr std::uint64_t seeds_of_a_process = 50;

struct arguments {
  std::uint64_t seeds = 1000, from = 1, minutes = 0;
  std::optional<std::uint64_t> seed;
  unsigned jobs = 2;
  bool trace = false, crashes = true, fails = false, goes_on = false;
};

std::optional<arguments> parse(int argc, char** argv) {
  arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    std::uint64_t number = 0;
    const auto takes = [&] {
      if (++i >= argc) return false;
      const char* const end = argv[i] + std::strlen(argv[i]);
      return std::from_chars(argv[i], end, number).ptr == end && end != argv[i];
    };
    if (word == "--trace")
      a.trace = true;
    else if (word == "--no-crash")
      a.crashes = false;
    else if (word == "--fails")
      a.fails = true;
    else if (word == "--go-on")
      a.goes_on = true;
    else if (!takes())
      return std::nullopt;
    else if (word == "--seeds")
      a.seeds = number;
    else if (word == "--minutes")
      a.minutes = number, a.seeds = UINT64_MAX / 2;
    else if (word == "--from")
      a.from = number;
    else if (word == "--seed")
      a.seed = number;
    else if (word == "--jobs" && number > 0)
      a.jobs = static_cast<unsigned>(number);
    else
      return std::nullopt;
  }
  return a;
}

void print_failure(std::uint64_t seed, const simulation_result& r) {
  std::printf("seed %llu: %u steps, %u starts: %s\n", static_cast<unsigned long long>(seed), r.steps, r.lives,
              r.problem.c_str());
  std::fflush(stdout);
}

simulation_options options_of(const arguments& a) {
  return {.prints = a.trace && a.seed.has_value(), .crashes = a.crashes, .fails = a.fails};
}

// Returns how many failed.
int run_some(std::uint64_t from, std::uint64_t count, const arguments& a) {
  int failed = 0;
  for (std::uint64_t seed = from; seed < from + count; ++seed) {
    const auto r = simulate(seed, options_of(a));
    if (r.problem.empty()) continue;
    print_failure(seed, r);
    ++failed;
    if (!a.goes_on) break;
  }
  return failed;
}

int run_one(const arguments& a) {
  const auto r = simulate(*a.seed, options_of(a));
  if (!r.problem.empty()) return print_failure(*a.seed, r), 1;
  std::printf("seed %llu: clean, %u steps, %u starts, %llu disk calls, trace %016llx\n",
              static_cast<unsigned long long>(*a.seed), r.steps, r.lives, static_cast<unsigned long long>(r.disk_calls),
              static_cast<unsigned long long>(r.hash));
  return 0;
}

int run_many(const arguments& a) {
  const auto begun = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(); };
  std::uint64_t next = a.from, done = 0;
  const std::uint64_t end = a.from + a.seeds;
  unsigned running = 0;
  bool failed = false;
  while (true) {
    const bool more =
        next < end && (!failed || a.goes_on) && (a.minutes == 0 || seconds() < 60.0 * static_cast<double>(a.minutes));
    if (more && running < a.jobs) {
      const auto count = std::min<std::uint64_t>(seeds_of_a_process, end - next);
      const pid_t child = ::fork();
      if (child < 0) return std::perror("fork"), 2;
      if (child == 0) ::_exit(run_some(next, count, a) > 0 ? 1 : 0);
      next += count, done += count, ++running;
      continue;
    }
    if (running == 0) break;
    int status = 0;
    if (::wait(&status) < 0) break;
    --running;
    failed = failed || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (WIFSIGNALED(status)) std::printf("a process ended by signal %d\n", WTERMSIG(status));
  }
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  std::fprintf(stderr, "%llu seeds in %.1f s, %.0f a second, at most %ld MiB a process\n",
               static_cast<unsigned long long>(done), seconds(), static_cast<double>(done) / seconds(),
               used.ru_maxrss / 1024);
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace ferryfs::test

int main(int argc, char** argv) {
  using namespace ferryfs::test;
  const auto a = parse(argc, argv);
  if (!a) return std::fputs(usage, stderr), 2;
  prepare_simulation();
  return a->seed ? run_one(*a) : run_many(*a);
}
