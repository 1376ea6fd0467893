// Files whose first READ goes with the OPEN, by a handle that was predicted.
#include "tests/remote/source/sftp/read_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::sftp::status;
using remote::sftp::type;

// A file that somebody waits for, of 150 bytes, on a server whose next handle is thought to be "h1".
struct early_fixture {
  fake_request_sender sender;
  std::shared_ptr<reader> to = std::make_shared<reader>(150);
  std::shared_ptr<remote::sftp::read_task> task =
      std::make_shared<remote::sftp::read_task>(to, remote::priority::demand);

  early_fixture() {
    sender.predicted = "h1";
    task->start(sender);
    REQUIRE(sender.count(type::read) == 1);  // beside the OPEN
  }
  std::string asked_of() { return std::string(sender.open().at(0).body().string()); }
  void finish() {
    while (task->request_more(sender) == remote::next_step::more) {
    }
    sender.answer(type::read, data_reply(std::string(50, 'b')));
    sender.answer(type::fstat, attrs_reply(150));
    CHECK(to->ends == 1);
    CHECK_FALSE(to->why);
    CHECK(to->content() == std::string(100, 'a') + std::string(50, 'b'));
  }
};

TEST_CASE("who waits for a file gets its first bytes with the answer to OPEN, where the handle was foretold") {
  early_fixture f;
  f.sender.answer(type::open, handle_reply("h1"));
  CHECK(f.asked_of() == "h1");
  f.sender.answer(type::read, data_reply(std::string(100, 'a')));
  CHECK(f.to->came.size() == 1);
  CHECK(f.sender.count(type::read) == 0);
  f.finish();
}

TEST_CASE("bytes that were read by a handle foretold wrongly are another file's, and asked for again") {
  early_fixture f;
  f.sender.answer(type::open, handle_reply("h2"));
  f.sender.answer(type::read, GENERATE(data_reply(std::string(100, 'x')), status_reply(status::failure)));
  CHECK(f.to->came.empty());
  REQUIRE(f.sender.count(type::read) == 1);
  CHECK(f.asked_of() == "h2");
  f.sender.answer(type::read, data_reply(std::string(100, 'a')));
  f.finish();
}

TEST_CASE("a READ that is answered before the OPEN that it was sent behind is asked for again") {
  early_fixture f;
  f.sender.answer(type::read, GENERATE(data_reply(std::string(100, 'x')), status_reply(status::failure)));
  CHECK(f.to->came.empty());
  f.sender.answer(type::open, handle_reply("h1"));
  f.sender.answer(type::read, data_reply(std::string(100, 'a')));
  f.finish();
}

TEST_CASE("what answers a READ beside an OPEN that failed changes nothing") {
  early_fixture f;
  f.sender.answer(type::open, status_reply(status::no_such_file));
  CHECK(f.to->ends == 1);
  f.sender.answer(type::read, GENERATE(data_reply(std::string(100, 'x')), status_reply(status::failure)));
  CHECK(f.to->ends == 1);
  CHECK(f.to->came.empty());
  CHECK(f.sender.open().empty());
}

}  // namespace
}  // namespace ferryfs::test
