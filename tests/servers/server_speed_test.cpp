// How fast an archive is replicated from a server of each make, beside OpenSSH's in the same run: the README's figures.
#include <algorithm>
#include <cstdio>
#include <map>

#include "tests/mount/ferry.hpp"
#include "tests/servers/real_server.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int pictures = 2000, rounds = 3;
constexpr std::size_t size = 100'000;

double median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

TEST_CASE("how fast each server is, beside OpenSSH's", "[slow]") {
  const temp_dir dir("speed");
  const fs::path from = dir / "source", to = dir / "destination";
  for (int i = 0; i < pictures; ++i)
    write_old(from / ("202401" + std::to_string(10 + i % 20)) / (std::to_string(i) + ".jpg"),
              noise(size, static_cast<unsigned>(i)));
  const std::vector<std::string> kinds{"OpenSSH", "dropbear", "ProFTPD", "rclone", "paramiko", "asyncssh"};
  std::map<std::string, std::vector<double>> seconds;
  for (int round = 0; round < rounds; ++round)
    for (const auto& kind : kinds) {
      const auto server = start_server(kind, dir.path());
      std::vector<std::string> words{"sync", server->url(from), to};
      for (const auto& word : server->login()) words.push_back(word);
      process_result result;
      seconds[kind].push_back(static_cast<double>(time_of([&] { result = run_ferryfs(words, 180s); }).count()) / 1000);
      INFO(kind << ": " << result.err << result.out);
      REQUIRE(result.code == 0);
      REQUIRE((difference(contents_below(from), contents_below(to)) == ""));
      fs::remove_all(to);
    }
  const double openssh = median(seconds["OpenSSH"]);
  for (const auto& kind : kinds) {
    const double time = median(seconds[kind]);
    std::printf("%-10s %6.2f s %7.1f MB/s %6.2f x OpenSSH's time\n", kind.c_str(), time,
                pictures * static_cast<double>(size) / 1e6 / time, time / openssh);
  }
}
