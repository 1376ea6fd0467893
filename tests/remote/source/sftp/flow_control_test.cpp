#include "remote/source/sftp/flow_control.hpp"

#include "remote/source/sftp/predicted_handle.hpp"
#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using remote::sftp::flow_control;
using remote::sftp::request;
using remote::sftp::type;

constexpr std::uint32_t one_read = 255U << 10;

// A READ that was sent so long ago, behind so many bytes.
request answered(flow_control::clock::duration ago, std::uint64_t behind) {
  request r{nullptr, type::read, {0, one_read}, {}};
  r.sent_at = flow_control::clock::now() - ago;
  r.in_flight_before = behind;
  return r;
}

std::uint64_t bytes_until_full(flow_control& flow) {
  std::uint64_t sum = 0;
  for (; flow.may_request_more(); sum += one_read) flow.add(one_read);
  return sum;
}

TEST_CASE("a longer way takes more requests, files and listings in flight") {
  const remote::sftp::server_limits allowed{.files = 1000};
  flow_control near{allowed, 1ms}, far{allowed, 50ms};
  CHECK(near.files_limit() < far.files_limit());
  CHECK(near.listings_limit() < far.listings_limit());
  CHECK(bytes_until_full(near) < bytes_until_full(far));
}

TEST_CASE("the server's limit of files holds for listings, too, and a rate limit for the background") {
  remote::sftp::server_limits allowed;
  flow_control flow{allowed, 50ms};
  CHECK(flow.files_limit() == 100);
  CHECK(flow.listings_limit() == 100);
  allowed.files = 5;
  CHECK(flow.listings_limit() == 5);
  allowed.files = 100;
  flow.set_throttled(true);
  CHECK(flow.background_limit() < flow.files_limit());
}

TEST_CASE("what is in flight doubles while the link takes it, and shrinks where it is late") {
  const remote::sftp::server_limits allowed;
  flow_control flow{allowed, 50ms};
  const auto at_first = bytes_until_full(flow);
  flow.record_reply(answered(50ms, at_first));
  const auto more = bytes_until_full(flow);
  CHECK(more > one_read);  // besides that of the answered one
  flow_control late{allowed, 50ms};
  bytes_until_full(late);
  late.record_reply(answered(2s, at_first));
  CHECK_FALSE(late.may_request_more());
}

TEST_CASE("only a handle of OpenSSH's is predicted, and only where one task has the connection") {
  remote::sftp::handle_predictor predictor;
  CHECK_FALSE(predictor.predict(true));
  predictor.set_openssh(true);
  CHECK(predictor.predict(true) == std::string(4, '\0'));
  CHECK_FALSE(predictor.predict(false));
  predictor.record_close("h7");
  CHECK(predictor.predict(true) == "h7");
}

}  // namespace
}  // namespace ferryfs::test
