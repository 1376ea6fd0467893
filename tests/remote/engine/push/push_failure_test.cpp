// How a push ends when the source fails, goes away, or the push is stopped.
#include <future>
#include <stop_token>

#include "tests/doubles/wait_until.hpp"
#include "tests/remote/engine/push/push_fixture.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using remote::cause;
using remote::push_result;

}  // namespace

TEST_CASE("push: a lost connection is no refusal", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "0123456789"), f.put("b.jpg", "b");
  f.scan();
  f.source->fail(".a.jpg.mine.ferryfs-part", cause::unreachable);
  f.source->before(".a.jpg.mine.ferryfs-part", [&] {
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->mend(".a.jpg.mine.ferryfs-part"); });
  });
  const auto r = f.push();
  CHECK(r.files == 2);
  CHECK(r.refused == 0);
  CHECK(f.source->content("a.jpg") == "0123456789");
}

TEST_CASE("push: bytes that the source got wrong get no name", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "right");
  f.scan();
  // The same size and time, other bytes: as a bad disk would have it.
  f.source->spoil(".a.jpg.mine.ferryfs-part");
  const auto r = f.push();
  CHECK(r.refused == 1);
  CHECK_THAT(r.first_refusal, contains_text("other bytes"));
  CHECK(f.source->names().empty());
}

TEST_CASE("push: an account that may not write is told so once", "[push]") {
  fake_fixture f;
  for (int i = 0; i < 100; ++i) {
    f.put(std::to_string(i), "x");
    f.source->fail("." + std::to_string(i) + ".mine.ferryfs-part", cause::permission);
  }
  f.scan();
  const auto r = f.push();
  CHECK(r.ended == push_result::end::read_only);
  CHECK_THAT(r.why, contains_text("may write"));
}

TEST_CASE("push: a source that stays away ends it", "[push]") {
  remote::settings s;
  s.io_timeout = 0s;
  fake_fixture f{s};
  f.put("a.jpg", "a");
  f.scan();
  f.source->fail(".a.jpg.mine.ferryfs-part", cause::unreachable);
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->set_reachable(false); });
  const auto r = f.push();
  CHECK(r.ended == push_result::end::lost);
  CHECK(r.files == 0);
  CHECK(f.state_of("a.jpg") == "new");
}

TEST_CASE("push: one that is stopped while the source is away says so", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "a");
  f.scan();
  std::stop_source stop;
  f.source->fail(".a.jpg.mine.ferryfs-part", cause::unreachable);
  SECTION("while it waits for the source") {
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->set_reachable(false); });
    auto pushed = std::async(std::launch::async, [&] {
      return remote::pusher{f.needs(), false}.run("", stop.get_token());
    });
    REQUIRE(wait_until([&] { return !f.source->state().reachable; }));
    stop.request_stop();
    const auto r = pushed.get();
    CHECK(r.ended == push_result::end::interrupted);
    CHECK(r.refused == 0);
  }
  SECTION("as it goes") {
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { stop.request_stop(); });
    const auto r = remote::pusher{f.needs(), false}.run("", stop.get_token());
    CHECK(r.ended == push_result::end::interrupted);
    CHECK(r.refused == 0);
  }
}

}  // namespace ferryfs::test
