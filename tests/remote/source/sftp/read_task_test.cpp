// How a file is opened, read by many requests at once, looked at behind the last, and closed.
#include <vector>

#include "tests/remote/source/sftp/read_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::reading;
using remote::sftp::status;
using remote::sftp::type;

TEST_CASE("a file is opened for reading alone, by its path below the root") {
  read_fixture f{10};
  REQUIRE(f.sender.open().size() == 1);
  auto body = f.sender.open()[0].body();
  CHECK(f.sender.open()[0].type() == type::open);
  CHECK(body.string() == "/root/2013/a.jpg");
  CHECK(body.u32() == 1);
  CHECK(body.u32() == 0);
  CHECK(body.empty());
}

TEST_CASE("a file comes in many reads at once, is looked at behind the last, and closed") {
  read_fixture f{250};
  f.open();
  f.request_all();
  CHECK(f.sender.count(type::read) == 3);
  auto first = f.sender.open()[0].body();
  CHECK(first.string() == "h1");
  CHECK(first.u64() == 0);
  CHECK(first.u32() == 100);
  REQUIRE(f.sender.count(type::fstat) == 1);
  CHECK(f.sender.open().back().type() == type::fstat);

  f.sender.answer(type::read, data_reply(std::string(100, 'a')));
  f.sender.answer(type::read, data_reply(std::string(100, 'b')));
  f.sender.answer(type::read, data_reply(std::string(50, 'c')));
  CHECK(f.to->ends == 0);
  f.sender.answer(type::fstat, attrs_reply(250, 1234));
  CHECK(f.to->ends == 1);
  CHECK_FALSE(f.to->why);
  CHECK(f.to->after == remote::attributes{S_IFREG | 0644, 250, 1234});
  CHECK(f.to->content() == std::string(100, 'a') + std::string(100, 'b') + std::string(50, 'c'));
  CHECK(f.task->ended());
  CHECK(f.sender.count(type::close) == 1);
  f.sender.answer(type::close, status_reply(status::ok));
  CHECK(f.to->ends == 1);
}

TEST_CASE("a short answer is legal: the rest is asked for again, and the look at the file comes behind it") {
  read_fixture f{100};
  f.open();
  f.request_all();
  f.sender.answer(type::read, data_reply(std::string(30, 'a')));
  REQUIRE(f.sender.count(type::read) == 1);
  auto rest = f.sender.open().back().body();
  CHECK(rest.string() == "h1");
  CHECK(rest.u64() == 30);
  CHECK(rest.u32() == 70);
  f.sender.answer(type::fstat, attrs_reply(100, 1));  // older than the last byte
  f.sender.answer(type::read, data_reply(std::string(70, 'b')));
  CHECK(f.to->ends == 0);
  f.sender.answer(type::fstat, attrs_reply(100, 2));
  CHECK(f.to->ends == 1);
  CHECK(f.to->after.mtime == 2);
  CHECK(f.to->content() == std::string(30, 'a') + std::string(70, 'b'));
}

TEST_CASE("an empty file is opened, looked at and closed") {
  read_fixture f{0};
  f.open();
  f.request_all();
  CHECK(f.sender.count(type::read) == 0);
  f.sender.answer(type::fstat, attrs_reply(0));
  CHECK(f.to->ends == 1);
  CHECK_FALSE(f.to->why);
}

TEST_CASE("a byte beyond the end is no part of the file: an answer without it is whole, and any other is not") {
  struct over_asking final : reading {
    std::string where = "a";
    std::vector<remote::range> ranges;
    std::vector<std::uint64_t> reported;
    std::size_t bytes = 0, at = 0;
    int over = 0;
    const std::string& path() const override { return where; }
    next next_range(std::uint32_t) override {
      if (at == ranges.size()) return {remote::next_step::done, {}};
      return {remote::next_step::more, ranges[at++]};
    }
    void arrived(std::uint64_t, std::span<const std::byte> b) override { bytes += b.size(); }
    bool ends(std::uint64_t offset) override { return reported.push_back(offset), true; }
    void finished(const std::optional<remote::failure>& why, const remote::attributes&) override {
      over += why ? 100 : 1;
    }
  };
  fake_request_sender sender;
  const auto to = std::make_shared<over_asking>();
  to->ranges = {{0, 51, true}};
  const auto task = std::make_shared<remote::sftp::read_task>(to, remote::priority::background);
  task->start(sender);
  sender.answer(handle_reply("h"));
  while (task->request_more(sender) == remote::next_step::more) {
  }
  SECTION("whole") {
    sender.answer(type::read, data_reply(std::string(50, 'x')));
    CHECK(to->reported.empty());
  }
  SECTION("in two parts") {
    sender.answer(type::read, data_reply(std::string(20, 'x')));
    REQUIRE(sender.count(type::read) == 1);
    sender.answer(type::read, data_reply(std::string(30, 'x')));
  }
  SECTION("the end instead of the rest is told, and no failure where that is welcome") {
    sender.answer(type::read, data_reply(std::string(49, 'x')));
    sender.answer(type::read, status_reply(status::eof));
    CHECK(to->reported == std::vector<std::uint64_t>{49});
  }
  while (sender.count(type::fstat) > 0) sender.answer(type::fstat, attrs_reply(50));
  CHECK(to->over == 1);
}

TEST_CASE("a reading that is held back is asked again and loses nothing") {
  struct patient final : reading {
    std::string where = "a";
    int asked = 0;
    const std::string& path() const override { return where; }
    next next_range(std::uint32_t) override {
      return ++asked < 3 ? next{remote::next_step::throttled, {}} : next{remote::next_step::more, {0, 5}};
    }
    void arrived(std::uint64_t, std::span<const std::byte>) override {}
    void finished(const std::optional<remote::failure>&, const remote::attributes&) override {}
  };
  fake_request_sender sender;
  const auto task =
      std::make_shared<remote::sftp::read_task>(std::make_shared<patient>(), remote::priority::background);
  task->start(sender);
  sender.answer(handle_reply("h"));
  CHECK(task->request_more(sender) == remote::next_step::throttled);
  CHECK(task->request_more(sender) == remote::next_step::throttled);
  CHECK(sender.open().empty());
  CHECK(task->request_more(sender) == remote::next_step::more);
  CHECK(sender.count(type::read) == 1);
}

}  // namespace
}  // namespace ferryfs::test
