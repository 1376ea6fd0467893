// The counts of a push, and when it is given up.
#include "remote/engine/push/push_tally.hpp"

#include <sys/stat.h>

#include "index/base/time.hpp"
#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using end = remote::push_result::end;

remote::push_item picture(std::int64_t mtime) {
  remote::push_item p;
  p.row.local = file_facts{S_IFREG | 0644, 5, mtime * second_ns};
  return p;
}

TEST_CASE("an account that may not write is known by many denials and nothing taken, at the end by one") {
  remote::push_tally t;
  SECTION("many") {
    for (int i = 0; i < 19; ++i) t.count_refusal({cause::permission, "denied"});
    CHECK_FALSE(t.is_ended());
    t.count_refusal({cause::permission, "denied"});
    CHECK(t.is_ended());
  }
  SECTION("one") { t.count_refusal({cause::permission, "denied"}); }
  const auto r = t.conclude();
  CHECK(r.ended == end::read_only);
  CHECK(r.why == "denied; push needs an account that may write to the source");
}

TEST_CASE("an account that wrote something, or was refused for another reason as well, may write") {
  remote::push_tally t;
  for (int i = 0; i < 30; ++i) t.count_refusal({cause::permission, "denied"});
  SECTION("it made a directory") { t.set_accepted(); }
  SECTION("it sent a picture") { t.count_sent(picture(7), {S_IFREG | 0644, 5, 7}); }
  SECTION("a name is taken") { t.count_refusal({cause::exists, "another stands there"}); }
  CHECK_FALSE(t.is_ended());
  CHECK(t.conclude().ended == end::done);
}

TEST_CASE("a picture whose time or mode the source did not take is counted as sent, and as another") {
  remote::push_tally t;
  t.count_sent(picture(7), {S_IFREG | 0644, 5, 7});
  t.count_sent(picture(7), {S_IFREG, 5, {}});  // the source tells neither
  CHECK(t.result().attributes_differ == 0);
  t.count_sent(picture(7), {S_IFREG | 0600, 5, 7});
  t.count_sent(picture(7), {S_IFREG | 0644, 5, 8});
  CHECK(t.result().attributes_differ == 2);
  CHECK(t.result().files == 4);
  CHECK(t.result().bytes == 20);
}

TEST_CASE("what was cancelled is no refusal, and the first reason for an end stays") {
  remote::push_tally t;
  t.count_refusal({cause::cancelled, "interrupted"});
  CHECK(t.is_ended());
  CHECK(t.result().refused == 0);
  CHECK(t.conclude().ended == end::interrupted);
  t.lose_source("away");
  t.interrupt();
  CHECK(t.conclude().ended == end::lost);
  CHECK(t.result().why == "away");
}

}  // namespace
}  // namespace ferryfs::test
