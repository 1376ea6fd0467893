// Files that cannot be read to their end, and servers that break the protocol.
#include <array>
#include <random>

#include "tests/remote/source/sftp/read_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::sftp::protocol_error;
using remote::sftp::status;
using remote::sftp::type;

TEST_CASE("more data than was asked for is broken, and so is none, or another answer") {
  read_fixture f{50};
  f.open();
  f.request_all();
  SECTION("more") { CHECK_THROWS_AS(f.sender.answer(type::read, data_reply(std::string(51, 'x'))), protocol_error); }
  SECTION("none") { CHECK_THROWS_AS(f.sender.answer(type::read, data_reply("")), protocol_error); }
  SECTION("another") { CHECK_THROWS_AS(f.sender.answer(type::read, handle_reply("h2")), protocol_error); }
  SECTION("to FSTAT") { CHECK_THROWS_AS(f.sender.answer(type::fstat, data_reply("x")), protocol_error); }
  CHECK(f.to->came.empty());
}

TEST_CASE("what cannot be opened ends with the server's reason") {
  const std::pair<status, cause> reasons[] = {{status::no_such_file, cause::not_found},
                                              {status::permission_denied, cause::permission},
                                              {status::failure, cause::source_error},
                                              {status::unsupported, cause::source_error},
                                              {status::ok, cause::protocol}};
  for (const auto& [code, why] : reasons) {
    read_fixture f{10};
    f.sender.answer(type::open, status_reply(code, "the reason\n"));
    CHECK(f.task->ended());
    CHECK(f.to->ends == 1);
    REQUIRE(f.to->why);
    CHECK(f.to->why->why == why);
    CHECK(f.to->why->text == "user@host:22: 2013/a.jpg: the reason\\x0a");
    CHECK(f.sender.open().empty());
  }
}

TEST_CASE("a read that fails ends the file once all answers are in, and closes it") {
  read_fixture f{300};
  f.open();
  f.request_all();
  f.sender.answer(type::read, status_reply(status::failure, "bad sector"));
  CHECK(f.to->ends == 0);
  CHECK(f.task->request_more(f.sender) == remote::next_step::done);
  f.sender.answer(type::read, data_reply(std::string(100, 'x')));
  f.sender.answer(type::read, data_reply(std::string(20, 'x')));  // short, and not asked for again
  f.sender.answer(type::fstat, attrs_reply(300));
  CHECK(f.to->ends == 1);
  CHECK(f.to->why.value().why == cause::source_error);
  CHECK(f.sender.count(type::close) == 1);
  CHECK(f.sender.open().size() == 1);
}

TEST_CASE("a file that became shorter is one that changed, and what it shows now is told") {
  read_fixture f{200};
  f.open();
  SECTION("while all was requested") { f.request_all(); }
  SECTION("while more was to come") { f.task->request_more(f.sender); }
  f.sender.answer(type::read, status_reply(status::eof, "End of file"));
  while (f.sender.count(type::read) > 0) f.sender.answer(type::read, status_reply(status::eof));
  REQUIRE(f.sender.count(type::fstat) == 1);
  f.sender.answer(type::fstat, attrs_reply(0, 2000));
  CHECK(f.to->ends == 1);
  CHECK(f.to->why.value().why == cause::changed);
  CHECK(f.to->after == remote::attributes{S_IFREG | 0644, 0, 2000});
  CHECK(f.sender.count(type::close) == 1);
}

TEST_CASE("a lost connection ends a file once") {
  read_fixture f{10};
  const remote::failure lost{cause::unreachable, "gone"};
  SECTION("before it was opened") {}
  SECTION("while it is read") { f.open(), f.request_all(); }
  f.task->lost(lost);
  f.task->lost(lost);
  CHECK(f.to->ends == 1);
  CHECK(f.to->why.value().why == cause::unreachable);
}

TEST_CASE("whatever a server answers, a file ends once or the protocol is broken") {
  std::mt19937 random{42};
  std::size_t broke = 0, ended = 0;
  for (int round = 0; round < 5000; ++round) {
    read_fixture f{random() % 400};
    try {
      for (int step = 0; step < 40 && !f.sender.open().empty(); ++step) {
        const auto which = random() % f.sender.open().size();
        const auto request = f.sender.open()[which].request;
        f.sender.open().erase(f.sender.open().begin() + static_cast<std::ptrdiff_t>(which));
        const std::uint32_t asked = request.part.length;
        reply r = request.sent == type::open    ? handle_reply("h")
                  : request.sent == type::fstat ? attrs_reply(random() % 400)
                                                : data_reply(std::string(1 + random() % std::max(asked, 1U), 'x'));
        auto body = r.body();
        auto got = r.type();
        if (random() % 16 == 0) got = std::array{type::status, type::data, type::attrs, type::name}[random() % 4];
        if (random() % 16 == 0 && !body.empty()) body[random() % body.size()] = static_cast<std::byte>(random());
        f.sender.give(request, got, body);
        if (f.task->is_open() && !f.task->ended()) f.request_all();
      }
      if (f.task->ended()) ++ended;
    } catch (const protocol_error&) {
      ++broke;
    }
    if (f.to->ends > 1) FAIL("it ended more than once");
  }
  CHECK(broke > 100);
  CHECK(ended > 100);
}

}  // namespace
}  // namespace ferryfs::test
