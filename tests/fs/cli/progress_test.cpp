// The progress that is drawn on a terminal.
#include "fs/cli/progress.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using fs::json;

json half() {
  json s = {{"source", {{"reachable", true}, {"files", 58343}, {"bytes", 224'600'000'000}}},
            {"common", {{"files", 29000}, {"bytes", 112'300'000'000}}},
            {"missing", {{"files", 29343}, {"bytes", 112'300'000'000}}},
            {"failed", {{"files", 0}, {"bytes", 0}}},
            {"conflict", {{"files", 0}, {"bytes", 0}}},
            {"transfer", {{"paused", false}, {"rate", 93'000'000}, {"eta_s", 1207}, {"active", json::array()}}},
            {"complete", false}};
  return s;
}

void put_in_flight(json& s, const std::string& path) {
  s["transfer"]["active"].push_back({{"path", path}, {"bytes", 3'900'000}, {"demanded", false}});
}

std::size_t columns_of(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

TEST_CASE("a drawing says how much is here, how fast it goes, and what is in flight", "[progress]") {
  json s = half();
  put_in_flight(s, "sources/source1/pictures/20240102/20240102070500.jpg");
  const auto lines = fs::draw_status(s, 80);
  CHECK(lines[0].find("50.0 %") != std::string::npos);
  CHECK(lines[1] == "29,000 of 58,343 pictures, 104.6 GiB of 209.2 GiB");
  CHECK(lines[2] == "88.7 MiB/s, 20 min 07 s left");
  CHECK(lines[3] == "    3.72 MiB  sources/source1/pictures/20240102/20240102070500.jpg");
  s["failed"]["files"] = 3;
  CHECK(fs::draw_status(s, 80)[2] == "88.7 MiB/s, 20 min 07 s left, 3 failed");
}

TEST_CASE("a drawing has always as many lines, and none is wider than the terminal", "[progress]") {
  json s = half();
  const auto lines = fs::draw_status(s, 80).size();
  for (int i = 0; i < 9; ++i) put_in_flight(s, "bilder/käse/" + std::string(300, 'x') + "/übersicht-2024.jpg");
  for (const std::size_t columns : {1U, 20U, 33U, 80U, 300U}) {
    const auto drawn = fs::draw_status(s, columns);
    CHECK(drawn.size() == lines);
    for (const auto& line : drawn) CHECK(columns_of(line) <= std::max<std::size_t>(columns, 20));
  }
  CHECK(fs::draw_status(s, 80)[3].ends_with("/übersicht-2024.jpg"));
  CHECK(fs::draw_status(s, 33)[3].ends_with("…übersicht-2024.jpg"));
}

}  // namespace
}  // namespace ferryfs::test
