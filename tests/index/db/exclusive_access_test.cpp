#include "index/db/exclusive_access.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using index::exclusive_access;
using index::queued_job;
using namespace std::chrono_literals;

queued_job no_job() {
  return {[](index::transaction&) {}, {}};
}

TEST_CASE("a caller gets the access while no job is queued and no thread has it") {
  exclusive_access access;
  REQUIRE(access.try_acquire());
  CHECK_FALSE(access.try_acquire());
  access.release();
  access.post(no_job());
  CHECK_FALSE(access.try_acquire());
  std::vector<queued_job> group;
  REQUIRE(access.acquire_group(group));
  CHECK(group.size() == 1);
  access.release();
  REQUIRE(access.try_acquire());
  access.release();
}

TEST_CASE("a transaction stays pending when the access is released, until it is cleared") {
  exclusive_access access;
  CHECK_FALSE(access.acquire_pending());
  REQUIRE(access.try_acquire());
  access.set_pending(1h);
  CHECK_FALSE(access.acquire_pending());  // this thread has the access already
  access.release();
  CHECK(access.has_pending());
  REQUIRE(access.acquire_pending());
  CHECK(access.has_pending());
  access.clear_pending();
  CHECK_FALSE(access.has_pending());
  access.release();
  CHECK_FALSE(access.acquire_pending());
}

TEST_CASE("the writer's thread gets the access without a job when a pending transaction is due") {
  exclusive_access access;
  REQUIRE(access.try_acquire());
  access.set_pending(1ms);
  access.release();
  std::vector<queued_job> group;
  REQUIRE(access.acquire_group(group));
  CHECK(group.empty());
  CHECK(access.has_pending());
  access.clear_pending();
  access.release();
}

TEST_CASE("a stopped access gives out what is queued or pending, and nothing after that") {
  exclusive_access access;
  access.post(no_job());
  access.stop();
  CHECK_FALSE(access.try_acquire());
  std::vector<queued_job> group;
  REQUIRE(access.acquire_group(group));
  CHECK(group.size() == 1);
  access.set_pending(1h);
  access.release();
  group.clear();
  REQUIRE(access.acquire_group(group));
  CHECK(group.empty());
  access.clear_pending();
  access.release();
  CHECK_FALSE(access.acquire_group(group));
}

}  // namespace
}  // namespace ferryfs::test
