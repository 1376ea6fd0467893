// The requests that write a file on the source.
#include "remote/source/sftp/write_task.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {
namespace {

using remote::attributes;
using remote::cause;
using remote::failure;
using remote::sftp::status;
using remote::sftp::type;

struct writer final : remote::writing {
  std::string where = "2013/.a.jpg.ferryfs-part", content;
  std::uint64_t at = 0, stood = 0, keep = 1000;
  int begins = 0, ends = 0;
  std::optional<failure> why;
  attributes after;

  const std::string& path() const override { return where; }
  std::uint64_t begin(std::uint64_t there) override { return ++begins, stood = there, at = std::min(keep, there); }
  next next_bytes(std::uint32_t at_most, std::vector<std::byte>& into) override {
    if (at == content.size()) return {remote::next_step::done, 0};
    const auto part = content.substr(at, at_most);
    for (const char c : part) into.push_back(static_cast<std::byte>(c));
    return {remote::next_step::more, std::exchange(at, at + part.size())};
  }
  attributes final_attributes() const override { return {S_IFREG | 0640, content.size(), 1234}; }
  void finished(const std::optional<failure>& w, const attributes& a) override { ++ends, why = w, after = a; }
};

const reply ok = status_reply(status::ok);

struct write_fixture {
  fake_request_sender sender;
  std::shared_ptr<writer> from = std::make_shared<writer>();
  std::shared_ptr<remote::sftp::write_task> task = std::make_shared<remote::sftp::write_task>(from);

  explicit write_fixture(std::string content) {
    from->content = std::move(content);
    task->start(sender);
  }
  void give_all() {
    while (task->request_more(sender) == remote::next_step::more) continue;
  }
  void open_new() {
    sender.answer(type::lstat, status_reply(status::no_such_file));
    sender.answer(type::open, handle_reply("h"));
  }
};

}  // namespace

TEST_CASE("write task: what is answered after its end begins nothing", "[write]") {
  write_fixture f{"x"};
  const bool opens = GENERATE(false, true);
  if (opens) f.sender.answer(type::lstat, status_reply(status::no_such_file));
  f.task->lost({cause::timeout, "overtaken"});
  opens ? f.sender.answer(type::open, handle_reply("h")) : f.sender.answer(status_reply(status::no_such_file));
  CHECK(f.sender.open().empty());
  CHECK(f.from->begins == 0);
  CHECK(f.from->ends == 1);
}

TEST_CASE("write task: a new file is made, written in flight, and finished behind its last byte", "[write]") {
  write_fixture f{std::string(250, 'x')};
  f.sender.answer(type::lstat, status_reply(status::no_such_file));
  auto open = f.sender.open().at(0).body();
  CHECK(open.string() == "/root/2013/.a.jpg.ferryfs-part");
  CHECK(open.u32() == (2 | 8 | 32));  // WRITE, CREAT, EXCL: never through a link
  f.sender.answer(type::open, handle_reply("h"));
  f.give_all();
  std::vector<type> sent;
  for (const auto& s : f.sender.open()) sent.push_back(s.type());
  CHECK(sent == std::vector<type>{type::write, type::write, type::write, type::fsetstat, type::extended, type::fstat,
                                  type::close});
  auto last = f.sender.open().at(2).body();
  CHECK(last.string() == "h");
  CHECK(last.u64() == 200);
  CHECK(last.string() == std::string(50, 'x'));
  auto set = f.sender.open().at(3).body();
  CHECK(set.string() == "h");
  const auto wanted = set.attrs();
  CHECK((wanted.mode == 0640 && wanted.mtime == 1234));
  for (const auto t : {type::write, type::write, type::write, type::fsetstat, type::extended}) f.sender.answer(t, ok);
  f.sender.answer(type::fstat, reply{type::attrs}.attrs(S_IFREG | 0640, 250, 1234));
  CHECK(f.from->ends == 0);
  f.sender.answer(type::close, ok);
  CHECK(f.from->ends == 1);
  CHECK_FALSE(f.from->why);
  CHECK(f.from->after == attributes{S_IFREG | 0640, 250, 1234});
}

TEST_CASE("write task: what stands there is gone on with, and cut off where it is to go on", "[write]") {
  write_fixture f{"0123456789"};
  f.from->keep = 4;
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFREG | 0600, 6, 1));
  auto open = f.sender.open().at(0).body();
  open.string();
  CHECK(open.u32() == 2);
  f.sender.answer(type::open, handle_reply("h"));
  CHECK(f.from->stood == 6);
  auto cut = f.sender.open().at(0).body();
  CHECK(cut.string() == "h");
  CHECK(cut.attrs().size == 4);
  f.give_all();
  auto write = f.sender.open().at(1).body();
  write.string();
  CHECK(write.u64() == 4);
  CHECK(write.string() == "456789");
}

TEST_CASE("write task: a server that lets neither mode nor time be set has the bytes all the same", "[write]") {
  write_fixture f{"x"};
  f.open_new();
  f.give_all();
  f.sender.answer(type::write, ok);
  f.sender.answer(type::fsetstat,
                  status_reply(GENERATE(status::permission_denied, status::unsupported, status::failure)));
  f.sender.answer(type::extended, ok);
  f.sender.answer(type::fstat, reply{type::attrs}.attrs(S_IFREG | 0600, 1, 99));
  f.sender.answer(type::close, ok);
  CHECK(f.from->ends == 1);
  CHECK_FALSE(f.from->why);
  CHECK(f.from->after == attributes{S_IFREG | 0600, 1, 99});
}

TEST_CASE("write task: a link under its name is not written through", "[write]") {
  write_fixture f{"x"};
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFLNK | 0777, 6, 1));
  REQUIRE(f.from->why);
  CHECK(f.from->why->why == cause::exists);
  CHECK(f.sender.open().empty());
}

TEST_CASE("write task: a server without the extensions is not asked for them", "[write]") {
  write_fixture f{"x"};
  f.sender.extensions = {};
  f.open_new();
  f.give_all();
  CHECK(f.sender.count(type::extended) == 0);
}

TEST_CASE("write task: a WRITE that fails ends it, closed", "[write]") {
  write_fixture f{std::string(1000, 'x')};
  f.open_new();
  f.task->request_more(f.sender), f.task->request_more(f.sender);
  f.sender.answer(type::write, status_reply(status::failure, "disk full"));
  CHECK(f.task->request_more(f.sender) == remote::next_step::done);
  CHECK(f.from->ends == 0);
  f.sender.answer(type::write, ok);
  f.sender.answer(type::close, ok);
  REQUIRE(f.from->ends == 1);
  CHECK_THAT(f.from->why->text, contains_text("disk full"));
}

TEST_CASE("write task: no permission is told as that", "[write]") {
  write_fixture f{"x"};
  f.sender.answer(type::lstat, status_reply(status::no_such_file));
  f.sender.answer(type::open, status_reply(status::permission_denied));
  REQUIRE(f.from->why);
  CHECK(f.from->why->why == cause::permission);
}

}  // namespace ferryfs::test
