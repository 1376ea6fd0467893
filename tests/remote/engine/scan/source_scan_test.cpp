#include "remote/engine/scan/source_scan.hpp"

#include <future>

#include "tests/catch.hpp"
#include "tests/remote/scan_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;

TEST_CASE("the first scan lists every directory and makes all it finds gaps") {
  scan_fixture f;
  f.source.put_file("2013/07/a.jpg", "12345", long_ago + 9);
  f.source.put_file("b.jpg", "12");
  f.source.put_directory("empty");
  f.source.put_link("latest", "2013/07");
  const auto result = f.scan();
  CHECK(result.complete());
  CHECK(result.directories == 4);
  CHECK(result.names == 6);
  CHECK(result.skipped == 0);
  CHECK(f.row("2013/07/a.jpg").source == file_facts{S_IFREG | 0644, 5, (long_ago + 9) * 1'000'000'000});
  CHECK(f.row("2013/07/a.jpg").state == state::missing);
  CHECK(f.row("latest").target == "2013/07");
  CHECK(f.readers.borrow()->totals().source() == index::total{3, 14, 0});
  for (const char* d : {"", "2013", "2013/07", "empty"}) CHECK(f.row(d).listed_mtime);
}

TEST_CASE("a directory that has not changed is not listed again, and what is below it is looked at") {
  scan_fixture f;
  f.source.put_file("2013/07/a.jpg", "x");
  f.source.put_file("2014/a.jpg", "x");
  f.scan();
  f.source.put_file("2013/07/b.jpg", "x");
  const auto result = f.scan();
  CHECK(result.complete());
  CHECK(result.directories == 1);
  CHECK(result.skipped == 3);
  CHECK(f.at("2013/07/b.jpg"));
  CHECK(f.source.lists_of("") == 1);
  CHECK(f.source.lists_of("2014") == 1);
  CHECK(f.source.lists_of("2013/07") == 2);
}

TEST_CASE("a full scan lists everything, and sees pictures that were overwritten in place") {
  scan_fixture f;
  f.source.put_file("2013/a.jpg", "x");
  f.scan();
  f.source.put_file("2013/a.jpg", "xyz", long_ago + 1);
  f.scan();
  CHECK(f.row("2013/a.jpg").source->size == 1);
  const auto result = f.scan(true);
  CHECK(result.directories == 2);
  CHECK(result.skipped == 0);
  CHECK(f.row("2013/a.jpg").source->size == 3);
}

TEST_CASE("a directory that changed this very moment is listed again next time") {
  scan_fixture f;
  f.source.put_file("d/a.jpg", "x");
  f.source.set_mtime("d", std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  f.scan();
  CHECK(f.row("d").listed_mtime == 0);
  f.scan();
  CHECK(f.source.lists_of("d") == 2);
}

TEST_CASE("what left the source is gone after the scan, directories with all that was below") {
  scan_fixture f;
  f.source.put_file("2013/07/a.jpg", "x");
  f.source.put_file("2014/b.jpg", "x");
  f.scan();
  f.source.remove("2013");
  CHECK(f.scan().complete());
  CHECK_FALSE(f.at("2013"));
  CHECK(f.at("2014/b.jpg"));
  CHECK(f.readers.borrow()->totals().source().files == 1);
}

TEST_CASE("a directory that cannot be listed keeps what was known there, and the others are scanned") {
  scan_fixture f;
  f.source.put_file("a/known.jpg", "x"), f.source.put_file("a/sub/known.jpg", "x"), f.source.put_file("b/x.jpg", "x");
  f.scan();
  f.source.remove("a/known.jpg");
  f.source.put_file("b/new.jpg", "x");
  f.source.fail("a", cause::permission);
  const auto result = f.scan(true);
  CHECK_FALSE(result.complete());
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].why == cause::permission);
  CHECK(f.at("a/known.jpg"));
  CHECK(f.at("a/sub/known.jpg"));
  CHECK(f.at("b/new.jpg"));

  f.source.mend("a");
  CHECK(f.scan(true).complete());
  CHECK_FALSE(f.at("a/known.jpg"));
}

TEST_CASE("a listing that breaks off in its midst adds what it showed, and takes nothing away") {
  scan_fixture f;
  for (const char* name : {"d/1.jpg", "d/2.jpg", "d/3.jpg"}) f.source.put_file(name, "x");
  f.scan();
  f.source.put_file("d/0.jpg", "x");
  f.source.fail("d", cause::source_error, 2);
  CHECK_FALSE(f.scan().complete());
  for (const char* name : {"d/0.jpg", "d/1.jpg", "d/2.jpg", "d/3.jpg"}) CHECK(f.at(name));
  f.source.mend("d");
  f.scan();
  CHECK(f.source.lists_of("d") == 3);
}

TEST_CASE("a scan ends after all that it began has ended, though a listing broke off") {
  scan_fixture f;
  f.source.put_file("0/a.jpg", "x"), f.source.put_file("1/a.jpg", "x");
  f.source.fail("", cause::source_error, 2);
  CHECK_FALSE(f.scan().complete());
  const auto lists = f.source.lists().size();
  f.writer.run([](index::transaction&) {});
  CHECK(lists == 3);
  CHECK(f.source.lists().size() == lists);
  CHECK(f.at("1/a.jpg"));
  CHECK(f.finishes == 1);
}

TEST_CASE("a source that cannot be reached ends the scan, and takes nothing away") {
  scan_fixture f;
  f.source.put_file("d/a.jpg", "x");
  f.scan();
  SECTION("at its root") { f.source.fail("", cause::unreachable); }
  SECTION("within") { f.source.fail("d", cause::timeout); }
  const auto result = f.scan(true);
  CHECK_FALSE(result.complete());
  CHECK(f.at("d/a.jpg"));
  CHECK(f.finishes == 1);
}

TEST_CASE("a source that is no directory is told as that") {
  scan_fixture f;
  f.source.put_file("", "x");
  const auto result = f.scan();
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].why == cause::not_found);
}

TEST_CASE("who waits for a directory is told when its listing is in the index, or why it is not") {
  scan_fixture f;
  f.source.put_file("a/x.jpg", "x"), f.source.put_file("b/x.jpg", "x");
  f.source.fail("b", cause::permission);
  f.scan();
  CHECK(f.ends_by_directory.size() == 3);
  CHECK(f.ends_by_directory.at(f.row("a").ino) == std::nullopt);
  REQUIRE(f.ends_by_directory.at(f.row("b").ino));
  CHECK(f.ends_by_directory.at(f.row("b").ino)->why == cause::permission);
}

TEST_CASE("what is left out by a pattern is not entered, and its directories are not listed") {
  scan_fixture f{{"*.tmp", "cache/"}};
  f.source.put_file("d/a.jpg", "x"), f.source.put_file("d/a.tmp", "x"), f.source.put_file("d/cache/b.jpg", "x");
  f.source.put_file(".ferryfs/index.db", "x");
  CHECK(f.scan().names == 2);
  CHECK(f.at("d/a.jpg"));
  CHECK_FALSE(f.at("d/a.tmp"));
  CHECK_FALSE(f.at("d/cache"));
  CHECK_FALSE(f.at(".ferryfs"));
  CHECK(f.source.lists_of("d/cache") == 0);
}

TEST_CASE("below a name that is something else here nothing is listed") {
  scan_fixture f;
  f.source.put_file("d/a.jpg", "x");
  f.writer.run([](index::transaction& t) {
    entry e;
    e.parent = root_inode, e.name = "d", e.local = file_facts{S_IFREG | 0644, 1, 1}, e.state = state::added;
    t.insert(e);
  });
  CHECK(f.scan().complete());
  CHECK(f.row("d").state == state::conflict);
  CHECK(f.source.lists_of("d") == 0);
  CHECK_FALSE(f.at("d/a.jpg"));
}

TEST_CASE("a scan that is cancelled ends soon, and takes nothing away") {
  scan_fixture f;
  for (int i = 0; i < 300; ++i) f.source.put_file(fmt::format("{:03}/a.jpg", i), "x");
  std::promise<remote::source_scan::result> end;
  const auto scan = f.make(false, end);
  scan->cancel();
  scan->start();
  end.get_future().get();
  CHECK(f.source.lists().size() <= 1);
}

TEST_CASE("an archive of very many directories is scanned again and again, with a stack that stays small") {
  scan_fixture f;
  for (int i = 0; i < 20'000; ++i) f.source.put_directory(fmt::format("d/{:05}", i));
  CHECK(f.scan().directories == 20'002);
  const auto again = f.scan();
  CHECK(again.complete());
  CHECK(again.skipped == 20'002);
  CHECK(again.directories == 0);
}

TEST_CASE("pictures that a new --exclude leaves out are gone, and not lost", "[lost]") {
  scan_fixture f;
  f.source.put_file("d/1.jpg", "x");
  f.source.put_file("d/2.tmp", "x");
  f.source.put_file("d/3.jpg", "x");
  f.scan();
  f.leave_out = remote::filter{{"*.tmp"}, "generic"};
  f.source.remove("d/3.jpg");
  f.scan(true);
  CHECK(f.at("d/1.jpg"));
  CHECK_FALSE(f.at("d/2.tmp"));
  CHECK(f.readers.borrow()->lost_totals().files == 1);
}

}  // namespace
}  // namespace ferryfs::test
