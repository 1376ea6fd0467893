// Reports as they are made, kept, pruned and compared.
#include "fs/report/history.hpp"

#include <algorithm>

#include "fs/report/compare.hpp"
#include "index/base/error.hpp"
#include "index/update/fetch_result.hpp"
#include "index/update/local_change.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/process.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

struct report_fixture : index_fixture {
  std::filesystem::path directory = dir / "reports";
  fs::history history{directory, "reports"};
  fs::wall_clock::time_point now = fs::wall_clock::from_time_t(1'800'000'000);

  std::optional<fs::json> record(bool automatic = false, unsigned keep = 100, fs::job j = {}) {
    now += std::chrono::minutes(5);
    if (j.name.empty()) j.name = "scan";
    j.automatic = automatic, j.begun = j.moved_since = now - std::chrono::seconds(30), j.ended = now;
    return history.record(*readers.borrow(), j, keep);
  }
  std::vector<unsigned> numbers() const {
    std::vector<unsigned> found;
    for (const auto& n : history.names()) found.push_back(n.number);
    return found;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& e : std::filesystem::directory_iterator(directory)) found.push_back(e.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }
  std::string list(unsigned n, std::string_view set) const {
    auto lines = history.list(history.find(n), set);
    std::string text;
    for (std::string line; lines && lines->next(line);) text += line + '\n';
    return text;
  }
};

TEST_CASE("a report that a disk or a person has changed is shown, or said to be damaged", "[report]") {
  report_fixture f;
  f.record(), f.record();
  const auto first = f.history.find(1), second = f.history.find(2);
  const auto change = [&](const std::string& from, const std::string& to) {
    const auto file = f.directory / (second.stem + ".json");
    std::string text = read_file(file);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    write_file(file, text.replace(at, from.size(), to));
  };
  SECTION("one from before a set was counted has none of it") {
    change("\"lost\": ", "\"new words\": ");
    CHECK_THAT(fs::compare_text(fs::compare(f.history, first, second)), contains_text("lost"));
    return;
  }
  SECTION("it lasts for ever") { change("\"duration_s\":", "\"duration_s\":1e300,\"was\":"); }
  SECTION("a count is a text") { change("\"skipped\": {\"count\":0", "\"skipped\": {\"count\":\"0\""); }
  SECTION("a count is below zero") { change("\"failed\": {\"count\":0", "\"failed\": {\"count\":-1"); }
  CHECK_THROWS_AS(fs::compare(f.history, first, second), error);
  CHECK_THROWS_AS(f.history.read(second), error);
}

TEST_CASE("a report counts both sides by kind, and keeps the lists of what is not common", "[report]") {
  report_fixture f;
  const inode day = f.insert(root_inode, "day", directory_side());
  f.insert(day, "1.jpg", file_side(10), file_side(10));
  f.insert(day, "2.JPG", file_side(20));
  f.insert(day, "2.raw", file_side(300));
  f.insert(day, "log", file_side(4000));
  f.insert(day, "mine.jpg", std::nullopt, file_side(5));
  f.insert(day, "other.jpg", file_side(6), file_side(7));
  const inode bad = f.insert(day, "bad\nname.jpg", file_side(8));
  const inode gone = f.insert(day, "gone.jpg", file_side(9));
  f.writer.run([&](index::transaction& t) {
    index::apply_fetch_failure(t, bad, "read: <script>\xff", 1);
    index::apply_removal(t, gone, 1);
    t.add_lost({"day/lost.jpg", 11, 0, 0});
  });
  fs::job j;
  j.name = "sync", j.source = "sftp://old/\xff", j.destination = "/here", j.files = 3, j.bytes = 600;
  const auto r = f.record(false, 100, j).value();
  INFO(r.dump(2));
  CHECK(f.history.read(f.history.find(1)) == r);
  CHECK(r["job"]["name"] == "sync");
  CHECK(r["job"]["status"] == "incomplete");
  CHECK(r["job"]["duration_s"] == 30);
  CHECK(r["moved"]["bytes_per_s"] == 20);
  CHECK(r["source"]["url"] == "sftp://old/\\xff");
  const auto counts = [](const fs::json& part) {
    std::vector<int> n;
    for (const char* kind : {"jpg", "raw", "other", "total"}) n.push_back(part["count"][kind].get<int>());
    for (const char* kind : {"jpg", "raw", "other", "total"}) n.push_back(part["size"][kind].get<int>());
    return n;
  };
  CHECK(counts(r["source"]["files"]) == std::vector<int>{5, 1, 1, 7, 53, 300, 4000, 4353});
  CHECK(counts(r["source"]["missing"]) == std::vector<int>{1, 0, 0, 1, 5, 0, 0, 5});
  CHECK(counts(r["destination"]["files"]) == std::vector<int>{3, 0, 0, 3, 22, 0, 0, 22});
  CHECK(counts(r["destination"]["missing"]) == std::vector<int>{1, 1, 1, 3, 20, 300, 4000, 4320});
  CHECK(counts(r["intersect"]) == std::vector<int>{1, 0, 0, 1, 10, 0, 0, 10});
  for (const char* set : {"conflict", "failed", "deleted", "lost"}) CHECK(r[set]["count"] == 1);
  CHECK(r["lost"]["size"] == 11);
  CHECK(r["errors"].dump().find("day/bad\\\\x0aname.jpg: read: <script>\\\\xff") != std::string::npos);

  CHECK(f.list(1, "missing") == "20 day/2.JPG\n300 day/2.raw\n4000 day/log\n");
  CHECK(f.list(1, "new") == "5 day/mine.jpg\n");
  CHECK(f.list(1, "conflict") == "6 day/other.jpg\n");
  CHECK(f.list(1, "failed") == "8 day/bad\\nname.jpg\n");
  CHECK(f.list(1, "deleted") == "9 day/gone.jpg\n");
  CHECK(f.list(1, "lost") == "11 day/lost.jpg\n");
  CHECK(f.list(1, "skipped").empty());
  CHECK_THROWS_AS(f.list(1, "common"), error);
  CHECK_THROWS_AS(f.history.find(2), error);
  const std::string stem = f.history.find(1).stem;
  CHECK(stem == "20270115T080500Z-1");
  CHECK(run({"zcat", f.directory / (stem + ".missing.gz")}).out == f.list(1, "missing"));
}

TEST_CASE("a report is less than 3.9 KB whatever texts it holds", "[report]") {
  report_fixture f;
  const std::string hostile = GENERATE(std::string("\x01"), std::string("\""), std::string("\\"), std::string("é"),
                                       std::string("\xff"), std::string("</script>"));
  std::string longest;
  while (longest.size() < 250) longest += hostile;
  longest.resize(250);
  for (int i = 0; i < 20; ++i) {
    const inode ino = f.insert(root_inode, longest + std::to_string(i), file_side(i));
    std::string text;
    for (int k = 0; k < 500; ++k) text += hostile;
    f.writer.run([&](index::transaction& t) { index::apply_fetch_failure(t, ino, text, 1); });
  }
  fs::job j;
  for (int k = 0; k < 4000; ++k) j.source += hostile, j.destination += hostile;
  j.status = j.source, j.name = j.source;
  j.errors.assign(5, j.source);
  j.files = j.bytes = UINT64_MAX;
  const auto made = f.record(false, 100, j).value();
  const auto text = read_file(f.directory / (f.history.find(1).stem + ".json"));
  CHECK(text.size() < fs::largest_report);
  CHECK(f.history.read(f.history.find(1)) == made);
  CHECK(made["errors"].size() >= 1);
}

TEST_CASE("an automatic scan that found nothing new leaves no report, one that did leaves one", "[report]") {
  report_fixture f;
  f.insert(root_inode, "1.jpg", file_side(10));
  CHECK(f.record(true));
  CHECK_FALSE(f.record(true));
  CHECK(f.record(false));
  CHECK_FALSE(f.record(true));
  f.insert(root_inode, "2.jpg", file_side(10));
  CHECK(f.record(true));
  fs::job failing;
  failing.errors = {"day: permission denied"};
  CHECK(f.record(true, 100, failing));
  CHECK_FALSE(f.record(true, 100, failing));
  CHECK(f.record(true));
  CHECK(f.numbers() == std::vector<unsigned>{1, 2, 3, 4, 5});
}

TEST_CASE("the oldest reports go with all their files, and numbers are not used again", "[report]") {
  report_fixture f;
  f.insert(root_inode, "1.jpg", file_side(10));
  f.insert(root_inode, "mine.jpg", std::nullopt, file_side(10));
  for (int i = 0; i < 5; ++i) f.record(false, 2);
  CHECK(f.numbers() == std::vector<unsigned>{4, 5});
  CHECK(f.files().size() == 6);
  f.record(false, 1);
  CHECK(f.numbers() == std::vector<unsigned>{6});
}

TEST_CASE("automatic reports thin out with age, so that a long history is kept", "[report]") {
  std::vector<fs::kept_report> kept;
  for (std::int64_t minute = 0; minute < 30 * 24 * 60; minute += 5) {
    kept.push_back({minute * 60, minute != 600});
    while (kept.size() > 50) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(fs::next_to_go(kept)));
  }
  const std::int64_t now = kept.back().time;
  CHECK(kept.front().time == 0);
  CHECK(std::any_of(kept.begin(), kept.end(), [](const auto& k) { return k.time == 600 * 60; }));
  for (const std::int64_t days : {1, 2, 5, 10, 20}) {
    INFO(days << " days ago");
    const auto wanted = now - days * 86400;
    CHECK(std::any_of(kept.begin(), kept.end(),
                      [&](const auto& k) { return std::abs(k.time - wanted) < days * 86400 / 4; }));
  }
}

TEST_CASE("what a killed writer left is cleared away, and what is damaged hides nothing else", "[report]") {
  report_fixture f;
  f.insert(root_inode, "1.jpg", file_side(10));
  f.record();
  f.record();
  const std::string first = f.history.find(1).stem;
  const std::string whole = read_file(f.directory / (first + ".json"));
  for (const std::string& bad : {whole.substr(0, whole.size() / 2), std::string(), std::string("[1]"),
                                 std::string("\xff"), std::string(1 << 20, '['), std::string("{\"report\":1}")}) {
    write_file(f.directory / (first + ".json"), bad);
    CHECK_THROWS_WITH(f.history.read(f.history.find(1)), contains_text("damaged"));
  }
  CHECK(f.history.read(f.history.find(2))["report"] == 2);
  for (const char* left : {"20270115T080500Z-9.missing.gz", "20270115T080500Z-9.json.new", "20270115T080500Z-9.new.gz"})
    write_file(f.directory / left, "x");
  write_file(f.directory / "notes.txt", "not ours");
  CHECK(f.numbers() == std::vector<unsigned>{1, 2});
  CHECK(f.record());
  CHECK(f.numbers() == std::vector<unsigned>{1, 2, 3});
  CHECK(f.files().size() == 7);
  CHECK(std::filesystem::exists(f.directory / "notes.txt"));
  write_file(f.directory / (f.history.find(3).stem + ".json"), "");
  CHECK(f.record(true));  // the latest can't be read: it is not known to be equal
}

TEST_CASE("two reports are compared by their counts and by which gaps were filled and came", "[report]") {
  report_fixture f;
  const inode a = f.insert(root_inode, "a\n.jpg", file_side(1));
  f.insert(root_inode, "b.jpg", file_side(2));
  const inode c = f.insert(root_inode, "c.jpg", file_side(3));
  f.record();
  f.edit(a, [](entry& e) { e.local = e.source, e.state = classify(e); });
  f.edit(c, [](entry& e) { e.source->size = 30; });
  f.insert(root_inode, "a.jpg", file_side(4));
  f.record();
  const auto one = f.history.find(1), two = f.history.find(2);
  const auto compared = fs::compare(f.history, one, two);
  INFO(compared.dump(2));
  CHECK(compared["sets"]["common"]["from"]["count"] == 0);
  CHECK(compared["sets"]["common"]["to"]["count"] == 1);
  CHECK(compared["filled"] == fs::json{{"count", 2}, {"size", 4}});
  CHECK(compared["came"] == fs::json{{"count", 2}, {"size", 34}});
  std::string changes;
  auto was = f.history.list(one, "missing"), is = f.history.list(two, "missing");
  fs::compare_lists(*was, *is, [&](fs::gap_change change, const index::list_line& l) {
    changes += (change == fs::gap_change::came ? "+" : "-") + l.path + ' ' + std::to_string(l.size) + '\n';
    return true;
  });
  CHECK(changes == "-a\n.jpg 1\n+a.jpg 4\n-c.jpg 3\n+c.jpg 30\n");
}

}  // namespace
}  // namespace ferryfs::test
