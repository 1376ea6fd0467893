#include <sys/stat.h>
#include <future>
#include <mutex>

#include "remote/engine/scan/destination_scan.hpp"
#include "tests/catch.hpp"
#include "tests/remote/migration_fixture.hpp"

namespace ferryfs::test {
namespace {

using pass = remote::migration::pass;
using remote::directory_cache;

struct stat shown_at(std::int64_t mtime, std::int64_t ctime) {
  struct stat s {};
  s.st_ino = 7;
  s.st_mtim = {mtime, 5}, s.st_ctim = {ctime, 5};
  return s;
}

TEST_CASE("a directory here is known to be unchanged by all of its times, and by none that is too young") {
  directory_cache cache;
  const auto before = shown_at(1000, 1000);
  CHECK_FALSE(cache.is_unchanged(1, before));
  cache.remember(1, before, 2000);
  CHECK(cache.is_unchanged(1, before));
  CHECK_FALSE(cache.is_unchanged(2, before));
  CHECK_FALSE(cache.is_unchanged(1, shown_at(1001, 1001)));
  CHECK_FALSE(cache.is_unchanged(1, shown_at(1000, 1500)));  // and its mtime set back
  auto another = before;
  another.st_ino = 8;
  CHECK_FALSE(cache.is_unchanged(1, another));
  cache.remember(1, shown_at(1000, 1999), 2000);  // what was changed after that may show the same time
  CHECK_FALSE(cache.is_unchanged(1, shown_at(1000, 1999)));
  CHECK_FALSE(cache.is_unchanged(1, before));
  cache.remember(1, before, 2000);
  cache.clear();
  CHECK_FALSE(cache.is_unchanged(1, before));
}

// A scan of changed directories, whose marks are a minute old.
struct marked_fixture : migration_fixture {
  directory_cache cache;
  void mark(const std::string& path) {
    struct stat s {};
    REQUIRE(::stat(on_disk(path).c_str(), &s) == 0);
    cache.remember(row(path).ino, s, s.st_ctim.tv_sec + 60);
  }
  std::uint64_t scan_changed() { return remote::scan_destination(where, m.index(), m.readers(), {}, cache); }
};

TEST_CASE("a directory here that has not changed is not read again, what lies below it is looked at") {
  marked_fixture f;
  f.put_here("a/one.jpg", "1");
  f.put_here("a/b/two.jpg", "2");
  f.put_here("c/three.jpg", "3");
  f.scan();
  for (const char* d : {"", "a", "a/b", "c"}) f.mark(d);
  CHECK(f.scan_changed() == 0);
  f.put_here("a/b/more.jpg", "more");
  std::filesystem::remove(f.on_disk("c/three.jpg"));
  CHECK(f.scan_changed() == 2);
  CHECK(f.row("a/b/more.jpg").local->size == 4);
  CHECK_FALSE(f.at("c/three.jpg"));
  CHECK(f.at("a/one.jpg"));
  CHECK(f.at("a/b/two.jpg"));
}

TEST_CASE("a directory that was away while a scan ran is read again when it is back, though it looks as it did") {
  marked_fixture f;
  f.source->put_file("a/b/both.jpg", "both", long_ago);
  f.put_here("a/b/both.jpg", "both");
  f.put_here("a/b/own.jpg", "own");
  f.scan();
  REQUIRE(f.row("a/b/both.jpg").state == state::common);
  for (const char* d : {"a", "a/b"}) f.mark(d);
  const temp_dir elsewhere{"away"};
  std::filesystem::rename(f.on_disk("a"), elsewhere / "a");
  f.scan_changed();
  REQUIRE(f.row("a/b/both.jpg").state == state::missing);
  std::filesystem::rename(elsewhere / "a", f.on_disk("a"));
  f.scan_changed();
  CHECK(f.row("a/b/both.jpg").state == state::common);
  CHECK(f.at("a/b/own.jpg"));
}

struct asked_fixture : migration_fixture {
  remote::source_scan::result rescan(pass how) {
    std::promise<remote::source_scan::result> end;
    m.rescan([&](const auto& r) { end.set_value(r); }, how);
    auto future = end.get_future();
    if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) throw std::logic_error("it never ends");
    return future.get();
  }
};

TEST_CASE(
    "a rescan of what changed lists those directories alone; a full one also finds what was overwritten in place") {
  asked_fixture f;
  f.source->put_file("2013/a.jpg", "x");
  f.source->put_file("2014/a.jpg", "x");
  f.scan();
  const auto before = f.source->look("2013").mtime.value();
  f.source->put_file("2014/b.jpg", "x");
  f.source->put_file("2013/a.jpg", "another", long_ago + 100);
  f.source->set_mtime("2013", before);
  const auto changed = f.rescan(pass::changed);
  CHECK(changed.complete());
  CHECK(changed.directories + changed.skipped == 3);
  CHECK(changed.skipped > 0);
  CHECK(f.source->lists_of("2013") == 1);
  CHECK(f.at("2014/b.jpg"));
  CHECK(f.row("2013/a.jpg").source->size == 1);
  const auto full = f.rescan(pass::full);
  CHECK(full.skipped == 0);
  CHECK(f.row("2013/a.jpg").source->size == 7);
}

TEST_CASE("a full scan comes in its turn, however often what changed is asked for") {
  asked_fixture f;
  f.source->put_file("2013/a.jpg", "x");
  f.scan();
  const auto before = f.source->look("2013").mtime.value();
  f.source->put_file("2013/a.jpg", "another", long_ago + 100);
  f.source->set_mtime("2013", before);
  for (int i = 0; i < 12; ++i) f.rescan(pass::changed);
  CHECK(f.row("2013/a.jpg").source->size == 7);
}

TEST_CASE("whoever asks for what changed is told before a report is made, who asks for all after it") {
  asked_fixture f;
  std::mutex mutex;
  std::string order;
  const auto say = [&](const char* what) {
    const std::lock_guard lock{mutex};
    order += what;
  };
  f.m.on_scanned([&](const auto&, bool asked_for_all, auto) { say(asked_for_all ? "R" : "r"); });
  f.source->put_file("2013/a.jpg", "x");
  f.scan();
  for (const auto how : {pass::changed, pass::full}) {
    std::promise<void> end;
    f.m.rescan([&](const auto&) { say("."), end.set_value(); }, how);
    REQUIRE(end.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  }
  const std::lock_guard lock{mutex};
  CHECK(order == "R.rR.");  // the first: of the scan above
}

}  // namespace
}  // namespace ferryfs::test
