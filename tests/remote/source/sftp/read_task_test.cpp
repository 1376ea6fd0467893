#include "remote/source/sftp/read_task.hpp"

#include <sys/stat.h>

#include <map>
#include <random>

#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::reading;
using remote::sftp::protocol_error;
using remote::sftp::status;
using remote::sftp::type;

// Wants a file of some size from its front, and keeps what comes.
struct reader final : reading {
  std::string where = "2013/a.jpg";
  std::uint64_t size, next_offset = 0;
  std::map<std::uint64_t, std::string> came;
  int ends = 0;
  std::optional<remote::failure> why;
  remote::attributes after;

  explicit reader(std::uint64_t bytes) : size(bytes) {}
  const std::string& path() const override { return where; }
  next next_range(std::uint32_t at_most) override {
    if (next_offset == size) return {remote::next_step::done, {}};
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(at_most, size - next_offset));
    return {remote::next_step::more, {std::exchange(next_offset, next_offset + length), length}};
  }
  void arrived(std::uint64_t offset, std::span<const std::byte> bytes) override {
    came[offset] = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finished(const std::optional<remote::failure>& w, const remote::attributes& a) override {
    ++ends, why = w, after = a;
  }
  std::string content() const {
    std::string all;
    for (const auto& [offset, bytes] : came) all += offset == all.size() ? bytes : "(gap)" + bytes;
    return all;
  }
};

reply data_reply(std::string_view bytes) { return reply{type::data}.string(bytes); }
reply attrs_reply(std::uint64_t size, std::uint32_t mtime = 1000) {
  return reply{type::attrs}.attrs(S_IFREG | 0644, size, mtime);
}

struct read_fixture {
  fake_request_sender sender;
  std::shared_ptr<reader> to;
  std::shared_ptr<remote::sftp::read_task> task;

  explicit read_fixture(std::uint64_t size)
      : to(std::make_shared<reader>(size)),
        task(std::make_shared<remote::sftp::read_task>(to, remote::priority::background)) {
    task->start(sender);
  }
  void open() { sender.answer(type::open, handle_reply("h1")); }
  void request_all() {
    while (task->request_more(sender) == remote::next_step::more) {
    }
  }
};

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
