// What goes over the wire when a file is written, or a name changed, on the source.
#include "remote/source/sftp/write_task.hpp"

#include <sys/stat.h>

#include "remote/source/sftp/change_task.hpp"
#include "remote/source/temporary_name.hpp"
#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {
namespace {

using remote::attributes;
using remote::cause;
using remote::failure;
using remote::reading;
using remote::sftp::change;
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

TEST_CASE("change task: what is answered after its end changes nothing", "[write]") {
  fake_request_sender sender;
  int ends = 0;
  const auto kind = GENERATE(change::what::link, change::what::directory);
  const auto task = std::make_shared<remote::sftp::change_task>(change{kind, "a", "b", 0755},
                                                                [&](const auto&, const auto&) { ++ends; });
  task->start(sender);
  task->lost({cause::timeout, "overtaken"});
  sender.answer(status_reply(status::ok));
  CHECK(sender.open().empty());
  CHECK(ends == 1);
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

namespace {

struct change_fixture {
  fake_request_sender sender;
  int ends = 0;
  std::optional<failure> why;
  attributes there;
  std::shared_ptr<remote::sftp::change_task> task;

  explicit change_fixture(change c)
      : task(std::make_shared<remote::sftp::change_task>(
            std::move(c), [this](const auto& w, const attributes& a) { ++ends, why = w, there = a; })) {
    task->start(sender);
  }
};

}  // namespace

TEST_CASE("change task: a rename to a taken name is told as that, and is never one that replaces", "[write]") {
  change_fixture f{{change::what::name, "new", "old"}};
  auto sent = f.sender.open().at(0).body();
  CHECK(f.sender.open().at(0).type() == type::rename);
  CHECK(sent.string() == "/root/old");
  CHECK(sent.string() == "/root/new");
  f.sender.answer(type::rename, status_reply(status::failure));
  CHECK(f.ends == 0);
  SECTION("taken") {
    f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFREG | 0600, 6, 1));
    CHECK(f.why->why == cause::exists);
  }
  SECTION("something else is wrong") {
    f.sender.answer(type::lstat, status_reply(status::no_such_file));
    CHECK(f.why->why == cause::source_error);
  }
}

TEST_CASE("change task: one that replaces is OpenSSH's own", "[write]") {
  change_fixture f{{change::what::replacement, "new", "old"}};
  auto sent = f.sender.open().at(0).body();
  CHECK(sent.string() == "posix-rename@openssh.com");
  CHECK(sent.string() == "/root/old");
  CHECK(sent.string() == "/root/new");
  f.sender.answer(type::extended, ok);
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFREG | 0600, 6, 1));
  CHECK_FALSE(f.why);
  CHECK(f.there.size == 6);
}

TEST_CASE("change task: a directory gets its mode past the server's umask", "[write]") {
  change_fixture f{{change::what::directory, "2013", {}, 0775}};
  f.sender.answer(type::mkdir, ok);
  REQUIRE(f.sender.count(type::setstat) == 1);
  auto set = f.sender.open().at(0).body();
  set.string();
  CHECK(set.attrs().mode == 0775);
  f.sender.answer(type::setstat, ok);
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFDIR | 0775, 6, 1));
  CHECK_FALSE(f.why);
}

TEST_CASE("change task: a directory that is there keeps its mode", "[write]") {
  change_fixture f{{change::what::directory, "2013", {}, 0775}};
  f.sender.answer(type::mkdir, status_reply(status::failure));
  CHECK(f.sender.count(type::setstat) == 0);
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFDIR | 0700, 6, 1));
  CHECK(f.why->why == cause::exists);
}

namespace {

const reply not_there = status_reply(status::no_such_file), failed = status_reply(status::failure, "Failure");

struct trial_fixture : change_fixture {
  std::string first, second;  // the paths of the trial
  trial_fixture() : change_fixture({change::what::link, "2013/latest.jpg", "../1.jpg"}) { sent_trial(); }

  void sent_trial() {
    REQUIRE(sender.count(type::symlink) == 1);
    auto tried = sender.open().at(0).body();
    first = tried.string(), second = tried.string();
    CHECK(first != second);
    for (const auto& path : {first, second}) {
      CHECK(path.starts_with("/root/2013/."));
      CHECK(remote::is_temporary_name(path.substr(path.rfind('/') + 1)));
    }
  }
  // Answers READLINK of both.
  void show(bool first_is_link, bool second_is_link) {
    REQUIRE(sender.count(type::readlink) == 2);
    while (sender.count(type::readlink) > 0) {
      const auto& all = sender.open();
      const auto at = std::find_if(all.begin(), all.end(), [](auto& s) { return s.type() == type::readlink; });
      const bool is_link = at->body().string() == first ? first_is_link : second_is_link;
      sender.answer(type::readlink, is_link ? reply{type::name}.u32(1).string("target").string("").u32(0) : failed);
    }
  }
  void removed(const std::string& path, const reply& answer) {
    REQUIRE(sender.count(type::remove) == 1);
    for (auto& s : sender.open())
      if (s.type() == type::remove) CHECK(s.body().string() == path);
    sender.answer(type::remove, answer);
  }
  void made(const std::string& one, const std::string& other) {
    REQUIRE(sender.count(type::symlink) == 1);
    for (auto& s : sender.open()) {
      if (s.type() != type::symlink) continue;
      auto sent = s.body();
      CHECK(sent.string() == one);
      CHECK(sent.string() == other);
    }
    sender.answer(type::symlink, ok);
    sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFLNK | 0777, 8, 1));
    CHECK(ends == 1);
    CHECK_FALSE(why);
    CHECK(sender.open().empty());
  }
  void made_target_first() { made("../1.jpg", "/root/2013/latest.jpg"); }
  void made_link_first() { made("/root/2013/latest.jpg", "../1.jpg"); }
};

}  // namespace

TEST_CASE("change task: in which order a server takes a link's two paths is found out where it does no harm",
          "[write]") {
  trial_fixture f;
  SECTION("as OpenSSH does") {
    f.sender.answer(type::symlink, ok);
    f.show(false, true);
    f.removed(f.second, status_reply(GENERATE(status::ok, status::permission_denied)));
    f.made_target_first();
  }
  SECTION("as the draft has it") {
    f.sender.answer(type::symlink, ok);
    f.show(true, false);
    f.removed(f.first, status_reply(GENERATE(status::ok, status::permission_denied)));
    f.made_link_first();
    // The connection knows it from then on.
    const auto next = std::make_shared<remote::sftp::change_task>(change{change::what::link, "b", "a"},
                                                                  [](const auto&, const auto&) {});
    next->start(f.sender);
    auto sent = f.sender.open().at(0).body();
    CHECK(sent.string() == "/root/b");
    CHECK(sent.string() == "a");
  }
  SECTION("where READLINK tells nothing, by which of them can be taken away") {
    f.sender.answer(type::symlink, ok);
    f.show(false, false);
    SECTION("as OpenSSH does") {
      f.removed(f.second, ok);
      f.made_target_first();
    }
    SECTION("as the draft has it") {
      f.removed(f.second, not_there);
      f.removed(f.first, ok);
      f.made_link_first();
    }
    SECTION("neither") {
      f.removed(f.second, status_reply(status::permission_denied));
      f.removed(f.first, status_reply(status::permission_denied, "no"));
      REQUIRE(f.ends == 1);
      CHECK_THAT(f.why->text, contains_text("can't be taken away (no)"));
      CHECK(f.sender.open().empty());
    }
  }
}

TEST_CASE("change task: a trial link that could not be taken away is the next trial's, and none is added", "[write]") {
  trial_fixture f;
  const std::string first = f.first, second = f.second;
  SECTION("it shows the order") {
    f.sender.answer(type::symlink, failed);
    f.show(false, true);
    CHECK(f.sender.count(type::remove) == 0);  // it may be another task's, which still asks for it
    f.made_target_first();
  }
  SECTION("another task took its own away meanwhile, and has found the order") {
    f.sender.answer(type::symlink, failed);
    f.sender.set_order_of_links(remote::sftp::link_order::link_first);
    f.show(false, false);
    f.made_link_first();
  }
  SECTION("it is gone, or was made by a server that had the other order: names of its own decide") {
    const bool gone = GENERATE(true, false);
    f.sender.answer(type::symlink, gone ? failed : ok);
    f.show(!gone, !gone);
    f.sent_trial();
    CHECK((f.first != first && f.second != second));
    f.sender.answer(type::symlink, ok);
    f.show(true, false);
    f.removed(f.first, ok);
    f.made_link_first();
  }
  SECTION("READLINK answers for any name: what can be taken away is the link") {
    f.sender.answer(type::symlink, ok);
    f.show(true, true);
    f.sent_trial();
    f.sender.answer(type::symlink, ok);
    f.show(true, true);
    f.removed(f.second, ok);
    f.made_target_first();
  }
  SECTION("the server makes no link, whatever its name") {
    f.sender.answer(type::symlink, failed);
    f.show(false, false);
    f.sender.answer(type::symlink, failed);
    f.sender.answer(type::lstat, not_there);
    REQUIRE(f.ends == 1);
    CHECK_THAT(f.why->text, contains_text("latest.jpg: Failure"));
  }
  // The same names each time.
  CHECK(trial_fixture{}.first == first);
  CHECK(trial_fixture{}.second == second);
}

TEST_CASE("change task: a server that makes no links says so", "[write]") {
  change_fixture f{{change::what::link, "latest.jpg", "1.jpg"}};
  f.sender.answer(type::symlink, status_reply(status::unsupported, "operation unsupported"));
  f.sender.answer(type::lstat, status_reply(status::no_such_file));
  REQUIRE(f.ends == 1);
  CHECK_THAT(f.why->text, contains_text("latest.jpg: operation unsupported"));
}

TEST_CASE("change task: what was made as a link is one, also where LSTAT shows what it leads to", "[write]") {
  change_fixture f{{change::what::link, "latest.jpg", "1.jpg"}};
  f.sender.answer(type::symlink, ok);
  f.sender.answer(type::readlink, reply{type::name}.u32(1).string("target").string("").u32(0));
  f.sender.answer(type::readlink, not_there);
  f.sender.answer(type::remove, ok);
  f.sender.answer(type::symlink, ok);
  SECTION("a picture") { f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFREG | 0600, 123, 1)); }
  SECTION("nothing") { f.sender.answer(type::lstat, status_reply(status::no_such_file)); }
  REQUIRE(f.ends == 1);
  CHECK_FALSE(f.why);
  CHECK(S_ISLNK(f.there.mode));
  CHECK(f.there.size == 5);
}

}  // namespace ferryfs::test
