// Fetches that go wrong, and the readers that wait for them.
#include <chrono>

#include "index/update/local_change.hpp"
#include "remote/engine/fetch/fetcher.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using remote::cause;
using remote::failure;

std::int64_t now() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

// The picture is not here, and nothing of it is left.
void check_absent(fetch_fixture& f, const std::string& path) {
  f.fetch.drain();
  CHECK_FALSE(f.row(path).is_local());
  CHECK_FALSE(std::filesystem::exists(f.on_disk(path)));
  CHECK_FALSE(f.partials_left());
}

TEST_CASE("a failure reaches all who wait, and the picture is counted as failed") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto one = f.await_range(ino, 0, 10), other = f.await_range(ino, 90, 10), fetch = f.background("a.jpg");
  f.source.answer("a.jpg", 0, 5);
  f.source.finish("a.jpg", failure{cause::source_error, "a.jpg: bad sector"});
  CHECK(one.failed() == cause::source_error);
  CHECK(other.failed() == cause::source_error);
  CHECK(fetch.failed() == cause::source_error);
  check_absent(f, "a.jpg");
  CHECK(f.row("a.jpg").state == state::failed);
  CHECK(f.row("a.jpg").error == "a.jpg: bad sector");
  CHECK(f.row("a.jpg").attempts == 1);
  CHECK(f.row("a.jpg").retry_at > now());
}

TEST_CASE("a failed picture can be read again, and comes") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto first = f.await_range(ino);
  f.source.finish("a.jpg", failure{cause::source_error, "bad sector"});
  REQUIRE(first.failed());
  f.fetch.drain();
  const auto again = f.await_range(ino, 0, 100);
  f.source.serve("a.jpg");
  CHECK(again.bytes(0, 100) == content_of(100));
  f.fetch.drain();
  CHECK(f.row("a.jpg").state == state::common);
  CHECK(f.row("a.jpg").error.empty());
}

TEST_CASE("what a lost connection says nothing about stays a gap, and is not called failed") {
  for (const cause why : {cause::unreachable, cause::refused, cause::timeout, cause::cancelled}) {
    fetch_fixture f;
    f.gap("a.jpg", content_of(100));
    const auto w = f.background("a.jpg");
    f.source.answer("a.jpg", 0, 5);
    f.source.finish("a.jpg", failure{why, "gone"});
    CHECK(w.failed() == why);
    check_absent(f, "a.jpg");
    CHECK(f.row("a.jpg").state == state::missing);
  }
}

TEST_CASE("a reader survives a lost connection, and what had come is not asked for again") {
  fetch_fixture f;
  const std::string content = content_of(100);
  const inode ino = f.gap("a.jpg", content);
  const auto reader = f.await_range(ino, 0, 100);
  REQUIRE(f.source.ask("a.jpg", 60).part.length == 60);
  REQUIRE(f.source.ask("a.jpg", 60).part.length == 41);  // and one beyond
  f.source.answer("a.jpg", 0, 60);
  f.source.finish("a.jpg", failure{cause::unreachable, "reset by peer"});
  const auto next = f.source.ask("a.jpg");
  CHECK(next.part.offset == 60);
  CHECK(next.part.length == 41);
  f.source.answer("a.jpg", 60, 40);
  f.source.finish("a.jpg");
  CHECK(reader.bytes(0, 100) == content);
  f.fetch.drain();
  CHECK(read_file(f.on_disk("a.jpg")) == content);
}

TEST_CASE("a reader gives up after a few lost connections") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto reader = f.await_range(ino);
  while (!reader.is_over() && f.source.reads().size() < 20) {
    const auto reads = f.source.reads().size();
    f.source.finish("a.jpg", failure{cause::unreachable, "reset by peer"});
    REQUIRE(wait_until([&] { return reader.is_over() || f.source.reads().size() > reads; }));
  }
  CHECK(reader.failed() == cause::unreachable);
  CHECK(f.source.reads().size() >= 2);
  CHECK(f.source.reads().size() <= 5);
}

TEST_CASE("while the source is known to be down a reader is not sent to it again") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto reader = f.await_range(ino);
  f.source.set_reachable(false);
  f.source.finish("a.jpg", failure{cause::timeout, "silence"});
  CHECK(reader.failed() == cause::timeout);
  CHECK(f.source.reads().size() == 1);
}

TEST_CASE("a picture that changed while it was fetched does not land, and the index learns what it is now") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto reader = f.await_range(ino, 0, 100), fetch = f.background("a.jpg");
  SECTION("it was written again, to the same size") {
    f.source.answer_all("a.jpg");
    f.source.put_file("a.jpg", std::string(100, 'n'), long_ago + 1);
  }
  SECTION("it grew") {
    f.source.answer_all("a.jpg");
    f.source.put_file("a.jpg", content_of(150), long_ago);
  }
  const auto shown = f.source.look("a.jpg");
  f.source.finish("a.jpg");
  CHECK(fetch.failed() == cause::changed);
  check_absent(f, "a.jpg");
  const entry now_known = f.row("a.jpg");
  CHECK(now_known.state == state::missing);
  CHECK(now_known.source == file_facts{shown.mode, *shown.size, *shown.mtime * second});

  const auto again = f.await_range(ino, 0, *shown.size);
  f.source.serve("a.jpg");
  CHECK_FALSE(again.failed());
  f.fetch.drain();
  CHECK(f.row("a.jpg").state == state::common);
}

TEST_CASE("bytes of a fetch that failed after all are handed out no more, and whoever keeps them is told") {
  fetch_fixture f;
  std::atomic<inode> notified = 0;
  f.writer.on_change([&](const std::vector<index::change>& changes) {
    for (const auto& c : changes)
      if (c.what == index::change::what::content) notified = c.ino;
  });
  const inode ino = f.gap("a.jpg", content_of(100)), other = f.gap("b.jpg", content_of(100));
  const auto reader = f.await_range(ino, 0, 10), unserved = f.await_range(other, 90, 10);
  f.source.answer("a.jpg", 0, 100);
  const auto served = std::get<remote::partial_read>(reader.get());
  CHECK(served.size == 100);
  CHECK_FALSE(*served.rejected);
  SECTION("its source became another") {
    f.source.put_file("a.jpg", content_of(100), long_ago + 1);
    f.source.ask("a.jpg");
    f.source.finish("a.jpg");
  }
  SECTION("its last check went wrong") { f.source.finish("a.jpg", failure{cause::source_error, "no answer to FSTAT"}); }
  SECTION("its connection was lost") { f.source.finish("a.jpg", failure{cause::timeout, "silence"}); }
  SECTION("another file came to stand there") {
    write_file(f.on_disk("a.jpg"), "mine");
    f.source.ask("a.jpg");
    f.source.finish("a.jpg");
  }
  CHECK(wait_until([&] { return served.rejected->load(); }));
  f.source.finish("b.jpg", failure{cause::source_error, "bad sector"});
  CHECK(unserved.failed());
  f.fetch.drain();
  CHECK(notified == ino);
  if (f.row("a.jpg").is_local()) return;
  const auto again = f.await_range(ino, 0, 10);
  CHECK_FALSE(again.is_over());
  f.source.serve("a.jpg");
  CHECK_FALSE(*std::get<remote::partial_read>(again.get()).rejected);
  f.fetch.drain();
  CHECK(f.row("a.jpg").is_local());
}

TEST_CASE("a picture that is deleted while somebody reads it is not taken from him") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto reader = f.await_range(ino, 0, 10);
  f.source.answer_all("a.jpg");
  const auto served = std::get<remote::partial_read>(reader.get());
  f.writer.run([&](index::transaction& t) { index::apply_removal(t, ino, 1); });
  ++f.where.namespace_version();
  f.source.finish("a.jpg");
  f.fetch.drain();
  CHECK_FALSE(*served.rejected);
}

TEST_CASE("a picture that is another whenever it was fetched is tried again only after growing pauses") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto fetch = [&](int n) {
    const auto w = f.await_range(ino);
    f.source.answer_all("a.jpg");
    f.source.put_file("a.jpg", content_of(100), long_ago + n);
    f.source.finish("a.jpg");
    f.fetch.drain();
    return f.row("a.jpg");
  };
  CHECK(fetch(1).state == state::missing);
  std::int64_t pause = 0;
  for (int n = 2; n < 6; ++n) {
    const entry e = fetch(n);
    CHECK(e.state == state::failed);
    CHECK(e.reason == reason::changing);
    CHECK(f.readers.borrow()->has_changing());
    CHECK(e.source->mtime == (long_ago + n) * second);
    CHECK(e.retry_at - now() > pause + 10);
    pause = e.retry_at - now();
  }
  const auto last = f.await_range(ino);
  f.source.serve("a.jpg");
  f.fetch.drain();
  CHECK(f.row("a.jpg").state == state::common);
  CHECK(f.row("a.jpg").attempts == 0);
  CHECK_FALSE(f.readers.borrow()->has_changing());
}

TEST_CASE("whoever waits for all of a picture survives a lost connection as a reader does") {
  fetch_fixture f;
  f.gap("a.jpg", content_of(100));
  waiting w;
  f.fetch.fetch(f.row("a.jpg"), "a.jpg", remote::priority::demand, w.done());
  f.source.answer("a.jpg", 0, 60);
  f.source.finish("a.jpg", failure{cause::unreachable, "reset by peer"});
  f.source.serve("a.jpg");
  CHECK(w.became_local());
}

TEST_CASE("a fetch shows by its bytes that it goes on, and a queued one by those of others") {
  fetch_fixture f;
  const auto a = f.gap("a.jpg", content_of(100)), b = f.gap("b.jpg", content_of(100));
  const auto none = remote::fetcher::clock::time_point{};
  CHECK(f.fetch.last_activity(a) == none);
  const auto of_a = f.await_range(a, 0, 100), of_b = f.await_range(b, 0, 100);
  REQUIRE(f.source.awaits("a.jpg"));
  REQUIRE(f.source.awaits("b.jpg"));
  CHECK(f.fetch.last_activity(a) == none);
  f.source.ask("a.jpg", 50);
  const auto asked = f.fetch.last_activity(a);
  CHECK(asked > none);
  f.source.answer("a.jpg", 0, 50);
  const auto first = f.fetch.last_activity(a);
  CHECK(first > asked);
  CHECK(f.fetch.last_activity(b) == first);
  f.source.ask("b.jpg", 50);
  f.source.answer("b.jpg", 0, 50);
  CHECK(f.fetch.last_activity(a) == first);
  CHECK(f.fetch.last_activity(b) > first);
  f.source.answer_all("a.jpg"), f.source.answer_all("b.jpg");
}

TEST_CASE("a picture that was cut off while it was fetched does not land, and the index learns its size") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto reader = f.await_range(ino, 0, 100);
  f.source.put_file("a.jpg", content_of(40), long_ago + 5);
  f.source.answer("a.jpg", 0, 40);
  f.source.finish("a.jpg");
  CHECK(reader.failed() == cause::changed);
  check_absent(f, "a.jpg");
  CHECK(f.row("a.jpg").source->size == 40);
}

TEST_CASE("a picture that is still being written on the source does not land") {
  fetch_fixture f{1s};
  const inode ino = f.gap("a.jpg", content_of(100), now());
  const auto reader = f.await_range(ino, 0, 100), fetch = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(reader.bytes(0, 100) == content_of(100));           // who reads it gets what there is
  f.source.put_file("a.jpg", content_of(150), now() - 60);  // by a clock that is behind
  CHECK(fetch.failed() == cause::still_written);
  check_absent(f, "a.jpg");
  CHECK(f.row("a.jpg").state == state::missing);
  CHECK(f.row("a.jpg").attempts == 0);
}

TEST_CASE("a young picture lands when a second look shows it as it was, whatever the source's clock says") {
  fetch_fixture f{1s};
  f.gap("a.jpg", content_of(100), now() + GENERATE(-3600, 0, 3600, 1'000'000));
  const auto begun = std::chrono::steady_clock::now();
  const auto fetch = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(fetch.became_local());
  CHECK(std::chrono::steady_clock::now() - begun >= 1s);
}

TEST_CASE("an old picture lands at once") {
  fetch_fixture f{3600s};
  f.gap("a.jpg", content_of(100), now() - 40 * 3600);
  const auto fetch = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(fetch.became_local());
}

TEST_CASE("a young picture that waits for its second look ends when the source does") {
  fetch_fixture f{3600s};
  const auto reader = f.await_range(f.gap("a.jpg", content_of(100), now()), 0, 100);
  const auto fetch = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(reader.bytes(0, 100) == content_of(100));
  f.source.stop();
  f.fetch.drain();
  CHECK(fetch.failed() == cause::cancelled);
  check_absent(f, "a.jpg");
}

TEST_CASE("what is on its way when the source is stopped ends, and leaves nothing") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  f.gap("b.jpg", content_of(100));
  const auto reader = f.await_range(ino), fetch = f.background("b.jpg");
  f.source.answer("b.jpg", 0, 50);
  f.source.stop();
  CHECK(reader.failed() == cause::cancelled);
  CHECK(fetch.failed() == cause::cancelled);
  check_absent(f, "a.jpg");
  check_absent(f, "b.jpg");
  CHECK(f.await_range(ino).failed() == cause::cancelled);
}

}  // namespace
}  // namespace ferryfs::test
