// The bytes that readers wait for, and the requests to the source for them.
#include "remote/engine/fetch/fetcher.hpp"

#include <thread>

#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::priority;
using remote::reading;

constexpr std::uint64_t mega = 1U << 20;

TEST_CASE("fifty readers of one picture cause one read, and all get its bytes") {
  fetch_fixture f;
  const std::string content = content_of(1000);
  const inode ino = f.gap("a.jpg", content);
  std::vector<waiting> all(50);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 5; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < all.size(); i += 5) f.fetch.await_range(ino, i * 20, 20, all[i].callback());
    });
  for (auto& t : threads) t.join();
  f.source.answer_all("a.jpg");
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].bytes(i * 20, 20) == content.substr(i * 20, 20));
  f.source.finish("a.jpg");
  f.fetch.drain();
  CHECK(f.source.reads_of("a.jpg") == 1);
  for (const auto& w : all) CHECK(w.calls() == 1);
}

TEST_CASE("a reader is answered as soon as its own bytes are there") {
  fetch_fixture f;
  const std::string content = content_of(1000);
  const inode ino = f.gap("a.jpg", content);
  const auto middle = f.await_range(ino, 400, 100), front = f.await_range(ino, 0, 10),
             both = f.await_range(ino, 0, 500);
  f.source.answer("a.jpg", 400, 60);
  f.source.answer("a.jpg", 460, 40);
  CHECK(middle.bytes(400, 100) == content.substr(400, 100));
  CHECK_FALSE(std::get<remote::partial_read>(middle.get()).whole);
  CHECK_FALSE(front.is_over());
  f.source.answer("a.jpg", 0, 400);
  CHECK(front.bytes(0, 10) == content.substr(0, 10));
  CHECK(both.bytes(0, 500) == content.substr(0, 500));
  CHECK(f.row("a.jpg").state == state::missing);
}

TEST_CASE("a reader of bytes that are there already is answered at once") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(1000));
  const auto first = f.await_range(ino, 0, 100);
  f.source.answer("a.jpg", 0, 500);
  first.get();
  const auto second_one = f.await_range(ino, 200, 300);
  CHECK(second_one.is_over());
  CHECK(second_one.bytes(200, 300) == content_of(1000).substr(200, 300));
  CHECK_FALSE(f.await_range(ino, 200, 301).is_over());
}

TEST_CASE("a read deep inside a video is asked for before what lies before it") {
  fetch_fixture f;
  const inode ino = f.gap("video.mp4", content_of(10 * mega));
  f.await_range(ino, 6 * mega, 1000);
  const auto offset = [&] { return f.source.ask("video.mp4", mega).part.offset; };
  CHECK(offset() == 6 * mega);
  CHECK(offset() == 7 * mega);
  SECTION("and somebody who jumps elsewhere goes ahead again") {
    f.await_range(ino, 3 * mega, 1000);
    CHECK(offset() == 3 * mega);
    CHECK(offset() == 4 * mega);
  }
  SECTION("and what lies before comes in the end") {
    CHECK(offset() == 8 * mega);
    CHECK(offset() == 9 * mega);
    CHECK(offset() == 0);
  }
}

TEST_CASE("every byte of a picture is asked for once, whoever reads where") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(1000));
  std::vector<int> asked(1000);
  for (const std::uint64_t jump : {700U, 100U, 300U, 999U, 0U, 5000U}) {
    f.await_range(ino, jump, 10);
    const auto next = f.source.ask("a.jpg", 70);
    if (next.what == remote::next_step::more)
      for (std::uint64_t i = 0; i < next.part.length - (next.part.beyond ? 1 : 0); ++i)
        ++asked.at(next.part.offset + i);
  }
  for (auto next = f.source.ask("a.jpg", 33); next.what == remote::next_step::more; next = f.source.ask("a.jpg", 33))
    for (std::uint64_t i = 0; i < next.part.length - (next.part.beyond ? 1 : 0); ++i) ++asked.at(next.part.offset + i);
  CHECK(asked == std::vector<int>(1000, 1));
}

TEST_CASE("a reader at or beyond the end is answered with what there is") {
  fetch_fixture f;
  const std::string content = content_of(1000);
  const inode ino = f.gap("a.jpg", content);
  const auto over_end = f.await_range(ino, 900, 4096), beyond = f.await_range(ino, 5000, 4096),
             endless = f.await_range(ino, 500, UINT64_MAX);
  f.source.serve("a.jpg");
  CHECK(over_end.bytes(900, 4096) == content.substr(900));
  CHECK_FALSE(beyond.failed());
  CHECK(endless.bytes(500, 500) == content.substr(500));
}

TEST_CASE("a reader that gave up is not called, and the picture comes all the same") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  waiting gone, stays;
  const auto id = f.fetch.await_range(ino, 0, 10, gone.callback());
  f.fetch.await_range(ino, 0, 10, stays.callback());
  f.fetch.cancel(ino, id);
  f.fetch.cancel(ino, 999'999);
  f.fetch.cancel(999'999, id);
  f.source.serve("a.jpg");
  f.fetch.drain();
  CHECK(stays.calls() == 1);
  CHECK(gone.calls() == 0);
  CHECK(f.row("a.jpg").state == state::common);
}

TEST_CASE("a reader raises what the background has queued") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const auto background = f.background("a.jpg");
  CHECK(f.source.raised().empty());
  const auto reader = f.await_range(ino, 0, 10), another = f.await_range(ino, 0, 10);
  CHECK(f.source.raised() == std::vector<std::string>{"a.jpg"});
  f.source.serve("a.jpg");
  CHECK(reader.bytes(0, 10) == content_of(100).substr(0, 10));
  CHECK(background.became_local());
  CHECK(f.source.reads_of("a.jpg") == 1);
}

TEST_CASE("the limit holds back the background, and never a reader") {
  fetch_fixture f;
  f.limit.set(1);
  const inode ino = f.gap("a.jpg", content_of(100));
  f.background("a.jpg");
  f.source.ask("a.jpg", 10);  // may be granted whole, and uses up the limit
  CHECK(f.source.ask("a.jpg", 10).what == remote::next_step::throttled);
  f.await_range(ino, 50, 10);
  CHECK(f.source.ask("a.jpg", 10).what == remote::next_step::more);
  f.source.answer_all("a.jpg");
}

TEST_CASE("a demanded fetch of what the background has queued is raised as well") {
  fetch_fixture f;
  f.gap("a.jpg", content_of(100));
  const auto background = f.background("a.jpg");
  waiting demanded;
  f.fetch.fetch(f.row("a.jpg"), "a.jpg", priority::demand, demanded.done());
  CHECK(f.source.raised() == std::vector<std::string>{"a.jpg"});
  f.source.serve("a.jpg");
  CHECK(background.became_local());
  CHECK(demanded.became_local());
  CHECK(f.source.reads_of("a.jpg") == 1);
}

TEST_CASE("who wants a picture that is local by now is told so, and the source is not asked") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100));
  const entry as_gap = f.row("a.jpg");
  const auto first = f.background("a.jpg");
  f.source.serve("a.jpg");
  REQUIRE(first.became_local());
  f.fetch.drain();
  CHECK(f.await_range(ino).became_local());
  // The caller looked at the index a while ago.
  waiting late;
  f.fetch.fetch(as_gap, "a.jpg", priority::background, late.done());
  CHECK(late.became_local());
  CHECK(f.source.reads_of("a.jpg") == 1);
  CHECK_FALSE(f.row("a.jpg").sha256.empty());
}

TEST_CASE("who wants a picture that is nowhere is told so") {
  fetch_fixture f;
  CHECK(f.await_range(999).failed() == cause::not_found);
  f.gap("a.jpg", content_of(100));
  const entry gone = f.row("a.jpg");
  f.writer.run([&](index::transaction& t) { t.erase(gone); });
  CHECK(f.await_range(gone.ino).failed() == cause::not_found);
  waiting late;
  f.fetch.fetch(gone, "a.jpg", priority::background, late.done());
  CHECK(late.failed() == cause::not_found);
  CHECK(f.source.reads().empty());
}

TEST_CASE("what is being fetched is told, and a place in the queue is not fetching") {
  fetch_fixture f;
  const inode wanted = f.gap("wanted.jpg", content_of(100)), queued = f.gap("queued.jpg", content_of(50));
  f.await_range(wanted);
  f.background("queued.jpg");
  CHECK(f.fetch.is_fetching(wanted));
  CHECK_FALSE(f.fetch.is_fetching(queued));
  REQUIRE(f.fetch.active(10).size() == 1);
  CHECK(f.fetch.active(10)[0].path == "wanted.jpg");
  CHECK(f.fetch.active(10)[0].size == 100);
  CHECK(f.fetch.active(10)[0].demanded);
  f.source.ask("queued.jpg", 10);
  CHECK(f.fetch.is_fetching(queued));
  CHECK(f.fetch.active(10).size() == 2);
  CHECK(f.fetch.active(1).size() == 1);
  f.source.serve("wanted.jpg");
  f.source.serve("queued.jpg");
  CHECK(wait_until([&] { return !f.fetch.is_fetching(wanted); }));
}

TEST_CASE("the fetcher's end waits until everybody was told") {
  archive_fixture a;
  a.source.hold_reads();
  a.gap("a.jpg", content_of(100));
  std::atomic<bool> notified = false;
  {
    remote::fetcher fetch{a.where, a.source, a.writer, a.readers, a.limit};
    fetch.fetch(a.row("a.jpg"), "a.jpg", priority::background, [&](const auto&) {
      // Somebody who has to do something with it first.
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
      while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
      notified = true;
    });
    a.source.serve("a.jpg");
    REQUIRE(wait_until([&] { return a.row("a.jpg").state == state::common; }));
    REQUIRE(wait_until([&] { return fetch.active(1).empty() && !fetch.is_fetching(a.row("a.jpg").ino); }));
  }
  CHECK(notified);
}

}  // namespace
}  // namespace ferryfs::test
