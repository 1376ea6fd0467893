// Listings by a server that breaks the protocol, never ends, or goes away.
#include <array>
#include <random>

#include "index/base/path.hpp"
#include "tests/remote/source/sftp/list_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::sftp::protocol_error;
using remote::sftp::status;
using remote::sftp::type;

// A packet as large as they come, of one name many times.
reply thousands_of(const std::string& name, std::uint32_t mode, std::uint32_t count = 9000) {
  reply r{type::name};
  r.u32(count);
  for (std::uint32_t i = 0; i < count; ++i) r.string(name).string("").u32(4).u32(mode);
  return r;
}

TEST_CASE("an answer of another kind is broken") {
  list_fixture f;
  SECTION("to OPENDIR") { CHECK_THROWS_AS(f.sender.answer(name_reply({})), protocol_error); }
  SECTION("to READDIR") {
    f.open();
    CHECK_THROWS_AS(f.sender.answer(handle_reply("h")), protocol_error);
  }
  SECTION("to READLINK") {
    f.open();
    f.names({{"l", link}});
    CHECK_THROWS_AS(f.sender.answer(type::readlink, handle_reply("h")), protocol_error);
  }
  SECTION("fewer names than announced") {
    f.open();
    CHECK_THROWS_AS(f.sender.answer(reply{type::name}.u32(1000)), protocol_error);
  }
  CHECK(f.to->ends == 0);
}

TEST_CASE("a directory that never ends is ended, whatever it is full of") {
  list_fixture f;
  f.open();
  reply packet = name_reply({});
  SECTION("files") { packet = thousands_of("a", file); }
  SECTION("pipes") { packet = thousands_of("p", S_IFIFO | 0644); }
  const auto body = packet.body();
  int packets = 0;
  while (f.sender.count(type::readdir) > 0 && packets < 1000) {
    ++packets;
    const auto request = f.sender.open()[0].request;
    f.sender.open().pop_front();
    f.to->all.clear();
    f.sender.give(request, type::name, body);
  }
  CHECK(packets < 1000);
  CHECK(f.to->ends == 1);
  CHECK(f.to->why.value().why == cause::protocol);
  CHECK_THAT(f.to->why->text, contains_text("does not end"));
}

TEST_CASE("a lost connection ends a listing once, as not complete") {
  list_fixture f;
  SECTION("before it was opened") {}
  SECTION("while it is read") { f.open(), f.names({{"a", file}, {"l", link}}); }
  f.task->lost({cause::timeout, "silence"});
  f.task->lost({cause::timeout, "silence"});
  CHECK(f.to->ends == 1);
  CHECK(f.to->why.value().why == cause::timeout);
}

TEST_CASE("whatever a server answers, a listing ends once or the protocol is broken") {
  std::mt19937 random{4711};
  std::size_t broke = 0, ended = 0;
  for (int round = 0; round < 5000; ++round) {
    list_fixture f;
    try {
      for (int step = 0; step < 60 && !f.sender.open().empty(); ++step) {
        const auto request = f.sender.open()[0].request;
        f.sender.open().pop_front();
        reply r = request.sent == type::opendir    ? handle_reply("h")
                  : request.sent == type::readlink ? link_reply("t")
                  : random() % 4 == 0              ? status_reply(status::eof)
                                                   : name_reply({{"a", file}, {"l", link}, {"d", directory}});
        auto body = r.body();
        auto got = r.type();
        if (random() % 20 == 0) got = std::array{type::status, type::handle, type::attrs, type::name}[random() % 4];
        if (random() % 10 == 0 && !body.empty()) body[random() % body.size()] = static_cast<std::byte>(random());
        f.sender.give(request, got, body);
      }
      if (f.task->ended()) ++ended;
    } catch (const protocol_error&) {
      ++broke;
    }
    if (f.to->ends > 1) FAIL("it ended more than once");
    for (const auto& e : f.to->all)
      if (!valid_name(e.name)) FAIL("an impossible name got through");
  }
  CHECK(broke > 100);
  CHECK(ended > 100);
}

}  // namespace
}  // namespace ferryfs::test
