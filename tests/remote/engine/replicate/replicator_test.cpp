#include "remote/engine/replicate/replicator.hpp"

#include <chrono>
#include <span>

#include "remote/engine/scan/destination_scan.hpp"
#include "remote/files/sha256.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using strings = std::vector<std::string>;

struct replicator_fixture : archive_fixture {
  remote::fetcher fetch{where, source, writer, readers, limit};
  remote::replicator replicate;

  explicit replicator_fixture(std::size_t depth = 8, std::uint64_t min_free = 0)
      : archive_fixture(depth), replicate({where, source, writer, readers, fetch}, min_free) {}
  ~replicator_fixture() {
    replicate.pause();
    source.stop();
    fetch.drain();
  }

  // A gap of that day.
  inode gap_of(const std::string& path, std::int32_t day, std::size_t size = 10) {
    const inode ino = gap(path, content_of(size));
    edit(ino, [&](entry& e) { e.day = day; });
    return ino;
  }
  bool is_local(const std::string& path) {
    const auto e = at(path);
    return e && e->is_local();
  }
  bool idles() {
    auto idle = std::make_shared<std::atomic<bool>>(false);
    replicate.when_idle([idle] { *idle = true; });
    return wait_until([&] { return idle->load(); });
  }
};

TEST_CASE("replication begins with the newest day") {
  replicator_fixture f;
  f.gap_of("b.jpg", 20130714), f.gap_of("d.jpg", 20130716), f.gap_of("a.jpg", 20130713), f.gap_of("c.jpg", 20130715);
  f.gap_of("c2.jpg", 20130715);
  f.replicate.resume();
  REQUIRE(f.idles());
  CHECK(f.source.reads() == strings{"d.jpg", "c.jpg", "c2.jpg", "b.jpg", "a.jpg"});
  CHECK(f.readers.borrow()->totals().complete());
}

TEST_CASE("replication fills every gap, however many more there are than the source takes at once") {
  replicator_fixture f{4};
  for (int i = 0; i < 600; ++i) f.source.put_file(fmt::format("d/{}.jpg", i), "x");
  f.index_path("d");
  f.writer.run([&, d = f.row("d").ino](index::transaction& t) {
    for (int i = 0; i < 600; ++i) {
      entry e;
      e.parent = d, e.name = fmt::format("{}.jpg", i), e.day = 20130701 + i % 30;
      e.source = file_facts{S_IFREG | 0644, 1, long_ago * second};
      t.insert(e);
    }
  });
  f.replicate.resume();
  REQUIRE(f.idles());
  CHECK(f.readers.borrow()->totals().of(state::common).files == 600);
  CHECK(f.source.reads().size() == 600);
}

TEST_CASE("replication asks for no more at once than the source wants, and goes on as they come") {
  replicator_fixture f{4};
  f.source.hold_reads();
  for (int i = 0; i < 20; ++i) f.gap_of(fmt::format("{:02}.jpg", i), 20130715);
  f.replicate.resume();
  for (int i = 0; i < 20; ++i) {
    const auto path = fmt::format("{:02}.jpg", i);
    REQUIRE(f.source.awaits(path));
    // A page of the queue is taken whole.
    CHECK(f.source.reads().size() <= 512 + 4);
    f.source.serve(path);
  }
  CHECK(f.idles());
}

TEST_CASE("replication stands still until it is resumed, and again while it is paused") {
  replicator_fixture f{1};
  f.source.hold_reads();
  f.gap_of("a.jpg", 20130715);
  f.writer.run([](index::transaction&) {});
  CHECK(f.replicate.paused());
  CHECK(f.source.reads().empty());
  f.replicate.resume();
  REQUIRE(f.source.awaits("a.jpg"));
  f.replicate.pause();
  f.source.serve("a.jpg");
  REQUIRE(wait_until([&] { return f.is_local("a.jpg"); }));
  f.gap_of("b.jpg", 20130715);
  f.replicate.recheck();
  f.gap_of("c.jpg", 20130715);
  CHECK(f.source.reads() == strings{"a.jpg"});
  f.replicate.resume();
  REQUIRE(f.source.awaits("b.jpg"));
  f.source.serve("b.jpg");
}

TEST_CASE("gaps that come later are filled as soon as somebody says so") {
  replicator_fixture f;
  f.replicate.resume();
  REQUIRE(f.idles());
  f.gap_of("later.jpg", 20130715);
  const auto begun = std::chrono::steady_clock::now();
  f.replicate.recheck();
  REQUIRE(wait_until([&] { return f.is_local("later.jpg"); }));
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(1800));
}

TEST_CASE("the limit is kept") {
  replicator_fixture f;
  f.limit.set(400'000);
  for (int i = 0; i < 20; ++i) f.gap_of(fmt::format("{}.jpg", i), 20130715, 10'000);
  const auto begun = std::chrono::steady_clock::now();
  f.replicate.resume();
  REQUIRE(f.idles());
  CHECK(std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(300));
  CHECK(f.readers.borrow()->totals().complete());
}

TEST_CASE("a picture of another time whose digest decides nothing keeps replication from no rest") {
  replicator_fixture f;
  const inode ino = f.gap("a.jpg", "bytes", long_ago + 10);
  write_file(f.on_disk("a.jpg"), "bytes");
  remote::sha256 hash;
  hash.add(std::as_bytes(std::span(std::string_view("bytes"))));
  f.edit(ino, [&](entry& e) {
    e.local = e.source;
    e.local->mtime -= 10 * second;
    e.reason = reason::time_differs;
    e.sha256 = hash.result();
  });
  SECTION("as the source can't make it") { f.source.fail("a.jpg", cause::permission); }
  SECTION("as the file was changed behind ferryfs") { write_file(f.on_disk("a.jpg"), "others, and more"); }
  f.replicate.resume();
  CHECK(f.idles());
  CHECK(f.row("a.jpg").awaits_digest());
}

TEST_CASE("a picture that fails holds up no other, and is tried again when its time has come") {
  replicator_fixture f{1};
  const inode bad = f.gap_of("bad.jpg", 20130716);
  f.gap_of("good.jpg", 20130715), f.gap_of("better.jpg", 20130714);
  f.source.fail("bad.jpg", cause::source_error);
  f.replicate.resume();
  REQUIRE(f.idles());
  CHECK(f.is_local("good.jpg"));
  CHECK(f.is_local("better.jpg"));
  CHECK(f.row("bad.jpg").state == state::failed);
  CHECK(f.source.reads_of("bad.jpg") == 1);

  f.source.mend("bad.jpg");
  f.edit(bad, [](entry& e) { e.retry_at = 1; });
  f.replicate.recheck();
  CHECK(wait_until([&] { return f.is_local("bad.jpg"); }));
}

TEST_CASE("a picture that is still being written waits, and others do not") {
  replicator_fixture f{1};
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const inode young = f.gap("young.jpg", content_of(10), now);
  f.edit(young, [](entry& e) { e.day = 20130716; });
  f.gap_of("old.jpg", 20130715);
  f.replicate.resume();
  REQUIRE(wait_until([&] { return f.is_local("old.jpg"); }));
  CHECK_FALSE(f.is_local("young.jpg"));
  CHECK(f.source.reads() == strings{"old.jpg"});
  f.source.put_file("young.jpg", content_of(10), long_ago);
  f.edit(young, [](entry& e) { e.source->mtime = long_ago * second; });
  f.replicate.recheck();
  CHECK(wait_until([&] { return f.is_local("young.jpg"); }));
}

TEST_CASE("a source that is down is not asked, and replication goes on when it is back") {
  replicator_fixture f;
  f.source.set_reachable(false);
  f.gap_of("a.jpg", 20130715);
  f.replicate.resume();
  f.writer.run([](index::transaction&) {});
  CHECK(f.source.reads().empty());
  f.source.set_reachable(true);
  f.replicate.recheck();
  CHECK(wait_until([&] { return f.is_local("a.jpg"); }));
}

TEST_CASE("space that is to stay free stays free, and the reason is told") {
  replicator_fixture f{8, UINT64_MAX};
  f.gap_of("a.jpg", 20130715);
  f.replicate.resume();
  REQUIRE(wait_until([&] { return !f.replicate.blocked_by().empty(); }));
  CHECK_THAT(f.replicate.blocked_by(), contains_text(f.where.path()));
  CHECK_THAT(f.replicate.blocked_by(), contains_text("--min-free"));
  CHECK(f.idles());
  CHECK(f.source.reads().empty());
}

}  // namespace
}  // namespace ferryfs::test
