// What a push does with an upload that an earlier run has left unfinished.
#include <functional>
#include <stop_token>
#include <vector>

#include "remote/source/temporary_name.hpp"
#include "tests/remote/engine/push/push_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::push_result;

}  // namespace

TEST_CASE("push: an interrupted picture is gone on with", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "0123456789");
  f.scan();
  SECTION("from where it was") {
    f.source->put_file(".a.jpg.mine.ferryfs-part", "012345");
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 4);
  }
  SECTION("from its front, where what is there is of another file") {
    f.source->put_file(".a.jpg.mine.ferryfs-part", "xx2345");
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 14);
  }
  SECTION("from its front, where there is more than the file has") {
    f.source->put_file(".a.jpg.mine.ferryfs-part", "0123456789abc");
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 10);
  }
  CHECK(f.source->content("a.jpg") == "0123456789");
  CHECK(f.source->names() == std::vector<std::string>{"a.jpg"});
}

TEST_CASE("push: one that is interrupted leaves what it has sent, to go on from there", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "0123456789"), f.put("b.jpg", "b");
  f.scan();
  f.source->put_file(".a.jpg.mine.ferryfs-part", "0123");
  std::stop_source stop;
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { stop.request_stop(); });
  const auto r = remote::pusher{f.needs(), false}.run("", stop.get_token());
  CHECK(r.ended == push_result::end::interrupted);
  CHECK(r.refused == 0);
  CHECK_FALSE(f.source->content("a.jpg"));
  CHECK(f.source->content(".a.jpg.mine.ferryfs-part") == "0123");
  f.push();
  CHECK(f.source->names() == std::vector<std::string>{"a.jpg", "b.jpg"});
}

TEST_CASE("push: where what an earlier run left may not be written to, it is taken away and sent anew", "[push]") {
  fake_fixture f;
  const std::string part = ".a.jpg.mine.ferryfs-part";
  f.put("a.jpg", "0123456789");
  f.scan();
  f.source->put_file(part, "0123");
  f.source->fail(part, cause::permission);
  SECTION("it can be") {
    // At the WRITE it is denied, at the REMOVE no more.
    f.source->before(part, [&] { f.source->before(part, [&] { f.source->mend(part); }); });
    CHECK(f.push().files == 1);
    CHECK(f.source->content("a.jpg") == "0123456789");
  }
  SECTION("it can't be") {
    CHECK(f.push().refused == 1);
    CHECK(f.source->content(part) == "0123");
  }
}

TEST_CASE("push: what an earlier run left is not thrown away for a failure that may be the server's own", "[push]") {
  fake_fixture f;
  const std::string part = ".a.jpg.mine.ferryfs-part";
  f.put("a.jpg", "0123456789");
  f.scan();
  f.source->fail(part, cause::source_error);
  // The part is asked for that often, to be written or removed, until nothing fails any more.
  const auto mend_at = [&](int time) {
    const auto asked = std::make_shared<int>(0);
    const auto count = std::make_shared<std::function<void()>>();
    *count = [&f, part, time, asked, count = std::weak_ptr(count)] {
      if (++*asked == time) return f.source->mend(part);
      f.source->before(part, [again = count.lock()] { (*again)(); });
    };
    f.source->before(part, [count] { (*count)(); });
    return asked;
  };
  SECTION("that does not come again") {
    f.source->put_file(part, "0123");
    mend_at(2);
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 6);
    CHECK(f.source->content("a.jpg") == "0123456789");
  }
  SECTION("that comes again, and then it is") {
    f.source->put_file(part, "0123");
    const auto asked = mend_at(3);
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 10);
    CHECK(*asked == 3);
  }
  SECTION("where none stands there, nothing is removed") {
    const bool denied = GENERATE(true, false);
    if (denied) f.source->fail(part, cause::permission);
    const auto asked = mend_at(9);
    CHECK(f.push().refused == 1);
    CHECK(*asked == (denied ? 1 : 2));
  }
  SECTION("where it can't be looked at, it stays") {
    f.source->put_file(part, "0123");
    f.source->deny(part);
    mend_at(3);
    CHECK(f.push().refused == 1);
    CHECK(f.source->content(part) == "0123");
  }
}

TEST_CASE("push: what another archive left under its part name is not gone on with, nor touched", "[push]") {
  fake_fixture f;
  f.source->put_file(".a.jpg.another.ferryfs-part", "012345");
  f.put("a.jpg", "0123456789");
  f.scan();
  CHECK(f.push().files == 1);
  CHECK(f.source->content("a.jpg") == "0123456789");
  CHECK(f.source->content(".a.jpg.another.ferryfs-part") == "012345");
}

TEST_CASE("push: an unfinished one on the source is never taken for a picture", "[push]") {
  fake_fixture f;
  f.source->put_file("2013/.a.jpg.mine.ferryfs-part", "half");
  f.source->put_file("2013/b.jpg", "b");
  f.scan();
  CHECK(f.state_of("2013/b.jpg") == "missing");
  CHECK(f.state_of("2013/.a.jpg.mine.ferryfs-part") == "unknown");
}

TEST_CASE("push: the part name of a long name is one that can stand in a directory", "[push]") {
  const std::string longest(255, 'x'), other = std::string(254, 'x') + 'y';
  CHECK(remote::temporary_name("a.jpg", "mine") == ".a.jpg.mine.ferryfs-part");
  CHECK(remote::temporary_name(longest, "mine").size() <= 255);
  CHECK(remote::temporary_name(longest, "mine") != remote::temporary_name(other, "mine"));
  CHECK(remote::is_temporary_name(remote::temporary_name(longest, "mine")));
  CHECK(remote::temporary_name(longest, "mine") != remote::temporary_name(longest, "another's"));
  CHECK_FALSE(remote::is_temporary_name("a.mine.ferryfs-part"));
}

}  // namespace ferryfs::test
