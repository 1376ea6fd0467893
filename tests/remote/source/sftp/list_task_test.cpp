#include "remote/source/sftp/list_task.hpp"

#include <sys/stat.h>

#include <random>

#include "index/base/path.hpp"
#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::directory_entry;
using remote::sftp::protocol_error;
using remote::sftp::status;
using remote::sftp::type;
using strings = std::vector<std::string>;

struct collector final : remote::listing {
  std::vector<directory_entry> all;
  std::vector<std::pair<std::string, std::string>> not_here;
  int ends = 0;
  std::optional<remote::failure> why;
  void batch(std::vector<directory_entry> names) override { all.insert(all.end(), names.begin(), names.end()); }
  void refused(std::string name, std::string reason) override {
    not_here.emplace_back(std::move(name), std::move(reason));
  }
  void finished(const std::optional<remote::failure>& w) override { ++ends, why = w; }
  strings names() const {
    strings n;
    for (const auto& f : all) n.push_back(f.name);
    std::sort(n.begin(), n.end());
    return n;
  }
};

constexpr std::uint32_t file = S_IFREG | 0644, directory = S_IFDIR | 0755, link = S_IFLNK | 0777;

reply name_reply(const std::vector<std::pair<std::string, std::uint32_t>>& names) {
  reply r{type::name};
  r.u32(static_cast<std::uint32_t>(names.size()));
  for (const auto& [name, mode] : names)
    r.string(name).string("-rw-r--r-- 1 u g 7 Jul 15 " + name).attrs(mode, 7, 1000);
  return r;
}
reply link_reply(std::string_view target) { return reply{type::name}.u32(1).string(target).string("").u32(0); }

struct list_fixture {
  fake_request_sender sender;
  std::shared_ptr<collector> to = std::make_shared<collector>();
  std::shared_ptr<remote::sftp::list_task> task;

  explicit list_fixture(const std::string& path = "2013", std::optional<std::string> foretold = {})
      : task(std::make_shared<remote::sftp::list_task>(path, to)) {
    sender.predicted = std::move(foretold);
    task->start(sender);
  }
  void open() { sender.answer(type::opendir, handle_reply("h1")); }
  void names(const std::vector<std::pair<std::string, std::uint32_t>>& n) {
    sender.answer(type::readdir, name_reply(n));
  }
  void end() {
    while (sender.count(type::readdir) > 0) sender.answer(type::readdir, status_reply(status::eof));
  }
};

TEST_CASE("a directory is opened, read to its end and closed, and told once") {
  list_fixture f;
  CHECK(f.sender.open().at(0).body().string() == "/root/2013");
  f.open();
  CHECK(f.sender.open().at(0).body().string() == "h1");
  f.names({{".", directory}, {"..", directory}, {"a.jpg", file}, {"15", directory}});
  f.names({{"b.jpg", file}});
  CHECK(f.to->ends == 0);
  f.end();
  CHECK(f.to->ends == 1);
  CHECK_FALSE(f.to->why);
  CHECK(f.to->names() == strings{"15", "a.jpg", "b.jpg"});
  CHECK(f.to->all[0].attrs == remote::attributes{file, 7, 1000});
  CHECK(f.sender.open().size() == 1);
  CHECK(f.sender.open()[0].type() == type::close);
  f.sender.answer(status_reply(status::ok));
  CHECK(f.to->ends == 1);
}

TEST_CASE("names are asked for beside the OPENDIR where its handle can be foretold") {
  list_fixture f{"2013", "h1"};
  REQUIRE(f.sender.count(type::readdir) > 1);
  const auto early = f.sender.count(type::readdir);
  CHECK(f.sender.open().at(1).body().string() == "h1");
  SECTION("rightly") {
    f.open();
    CHECK(f.sender.count(type::readdir) == early);
    f.names({{"a.jpg", file}});
    f.end();
    CHECK(f.to->names() == strings{"a.jpg"});
  }
  SECTION("wrongly: what the other handle says is dropped") {
    f.sender.answer(type::opendir, handle_reply("h2"));
    CHECK(f.sender.count(type::readdir) == 2 * early);
    for (std::size_t i = 0; i + 1 < early; ++i) f.sender.answer(type::readdir, status_reply(status::failure));
    f.names({{"another's", file}});
    CHECK(f.sender.open().at(0).body().string() == "h2");
    f.names({{"a.jpg", file}});
    f.end();
    CHECK(f.to->names() == strings{"a.jpg"});
  }
  SECTION("wrongly, and answered last: names of the right one are not taken for the other's") {
    f.sender.answer(type::opendir, handle_reply("h2"));
    while (f.sender.open().size() > early) {  // those of h2 stand behind the others
      const auto late = f.sender.open().at(early).request;
      f.sender.open().erase(f.sender.open().begin() + static_cast<std::ptrdiff_t>(early));
      const auto r = f.to->all.empty() ? name_reply({{"a.jpg", file}}) : status_reply(status::eof);
      f.sender.give(late, r.type(), r.body());
    }
    CHECK(f.to->ends == 1);
    f.names({{"another's", file}});
    CHECK(f.to->names() == strings{"a.jpg"});
  }
  SECTION("rightly, and answered before the OPENDIR is") {
    f.names({{"a.jpg", file}});
    CHECK(f.to->all.empty());
    f.open();
    f.end();
    CHECK(f.to->names() == strings{"a.jpg"});
  }
  SECTION("and refused before the OPENDIR is answered: they are asked for again") {
    f.end();
    CHECK(f.to->ends == 0);
    f.open();
    f.names({{"a.jpg", file}});
    f.end();
    CHECK(f.to->names() == strings{"a.jpg"});
  }
  SECTION("for nothing, where the directory can't be opened") {
    f.sender.answer(type::opendir, status_reply(status::permission_denied));
    f.end();
    CHECK(f.to->why->why == cause::permission);
  }
  CHECK(f.to->ends == 1);
}

TEST_CASE("an empty directory ends with no name") {
  list_fixture f;
  f.open();
  f.end();
  CHECK(f.to->ends == 1);
  CHECK_FALSE(f.to->why);
  CHECK(f.to->all.empty());
}

TEST_CASE("a large directory is read with more and more requests in flight, but not without bound") {
  list_fixture f;
  f.open();
  std::size_t most = 0;
  for (int i = 0; i < 200; ++i) {
    most = std::max(most, f.sender.count(type::readdir));
    f.names({{std::to_string(i), file}});
  }
  CHECK(most > 4);
  CHECK(most <= 64);
  f.end();
  CHECK(f.to->all.size() == 200);
}

TEST_CASE("a listing ends with its last name, whatever was asked for beyond it") {
  list_fixture f;
  f.open();
  f.names({{"a.jpg", file}, {"b.jpg", file}});
  const auto asked = f.sender.count(type::readdir);
  SECTION("and no more is asked for after a packet with fewer names") {
    f.names({{"c.jpg", file}});
    CHECK(f.sender.count(type::readdir) == asked - 1);
  }
  SECTION("unless nothing else is under way: fewer names need not be the last") {
    while (f.sender.count(type::readdir) > 1) f.names({{"c.jpg", file}});
    f.names({{"d.jpg", file}});
    CHECK(f.sender.count(type::readdir) > 0);
  }
  f.end();
  CHECK(f.to->ends == 1);
  CHECK(f.sender.count(type::close) == 1);
}

TEST_CASE("a server that may answer out of order is heard to the end") {
  list_fixture f;
  f.sender.extensions.limits = GENERATE(false, true);  // OpenSSH is not alone in offering that
  f.open();
  f.sender.answer(type::readdir, status_reply(status::eof));
  CHECK(f.to->ends == 0);
  f.names({{"a.jpg", file}});
  f.end();
  CHECK(f.to->ends == 1);
  CHECK(f.to->names() == strings{"a.jpg"});
}

TEST_CASE("pipes, sockets and devices are refused, each by its name") {
  list_fixture f;
  f.open();
  f.names({{"pipe", S_IFIFO | 0644}, {"socket", S_IFSOCK | 0644}, {"device", S_IFBLK | 0644}, {"a", file}});
  f.end();
  CHECK(f.to->names() == strings{"a"});
  strings kinds;
  for (const auto& [name, why] : f.to->not_here) kinds.push_back(name + ": " + why.substr(0, why.find(';')));
  CHECK(kinds == strings{"pipe: a pipe", "socket: a socket", "device: a device"});
}

TEST_CASE("of a name that came without its kind the server is asked, and until then the listing does not end") {
  list_fixture f;
  f.open();
  f.names({{"a", 0644}, {"gone", 0}, {"l", 0}});
  f.end();
  REQUIRE(f.sender.count(type::lstat) == 3);
  CHECK(f.sender.open().at(0).body().string() == "/root/2013/a");
  CHECK(f.to->ends == 0);
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(file, 9, 1000));
  f.sender.answer(type::lstat, status_reply(status::no_such_file));
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(link, 1, 1000));
  CHECK(f.to->ends == 0);
  f.sender.answer(type::readlink, link_reply("a"));
  CHECK(f.to->ends == 1);
  CHECK_FALSE(f.to->why);
  REQUIRE(f.to->names() == strings{"a", "l"});
  CHECK(f.to->all[0].attrs == remote::attributes{file, 9, 1000});
  CHECK(f.to->all[1].target == "a");
}

TEST_CASE("the kind of a name that no attributes tell is learnt: a link by READLINK, the others by opening them") {
  list_fixture f;
  f.open();
  f.names({{"dir", 0755}, {"a.jpg", 0644}, {"l", 0777}, {"new", 0}, {"gone", 0}});
  f.end();
  const auto says = [&](type t, const reply& r) { f.sender.answer(t, r); };
  const bool looks = GENERATE(true, false);  // or LSTAT is not supported
  for (const auto& [mode, size] : {std::pair{0755U, 4096U}, {0644U, 7U}, {0777U, 1U}, {0640U, 3U}})
    says(type::lstat, looks ? reply{type::attrs}.attrs(mode, size, 1000) : status_reply(status::unsupported));
  says(type::lstat, status_reply(status::no_such_file));
  REQUIRE(f.sender.count(type::readlink) == 4);
  says(type::readlink, status_reply(status::failure));
  says(type::readlink, status_reply(status::failure));
  says(type::readlink, link_reply("a.jpg"));
  says(type::readlink, status_reply(status::failure));
  REQUIRE(f.sender.count(type::close) == 1);  // of the directory itself: a server may have one handle
  REQUIRE(f.sender.count(type::opendir) == 3);
  says(type::opendir, handle_reply("hd"));
  says(type::opendir, status_reply(status::no_such_file, "not a directory"));  // as OpenSSH's says it
  says(type::opendir, status_reply(status::failure));
  for (const auto* handle : {"hf", "hn"}) says(type::open, handle_reply(handle));
  CHECK(f.to->ends == 0);
  says(type::fstat, reply{type::attrs}.attrs(0644, 7, 1000));
  says(type::fstat, reply{type::attrs}.attrs(0600, 3, 1000));
  CHECK(f.sender.count(type::close) == 4);
  CHECK(f.to->ends == 1);
  CHECK_FALSE(f.to->why);
  REQUIRE(f.to->names() == strings{"a.jpg", "dir", "l", "new"});
  for (const auto& e : f.to->all) {
    if (e.name == "dir") CHECK(e.attrs.mode == directory);
    if (e.name == "a.jpg") CHECK(e.attrs == remote::attributes{file, 7, 1000});
    if (e.name == "l") CHECK((S_ISLNK(e.attrs.mode) && e.target == "a.jpg"));
    if (e.name == "new") CHECK(e.attrs == remote::attributes{S_IFREG | 0600, 3, 1000});
  }
}

TEST_CASE(
    "a name of which the server tells too little keeps its directory incomplete, by its name; the others are there") {
  list_fixture f;
  f.open();
  SECTION("a link that can't be read") {
    f.names({{"a.jpg", file}, {"last.jpg", link}});
    f.end();
    f.sender.answer(type::readlink, status_reply(status::unsupported, "no READLINK here"));
    CHECK_THAT(f.to->why.value().text, contains_text("last.jpg"));
    CHECK_THAT(f.to->why->text, contains_text("no READLINK here"));
  }
  SECTION("one that can't be looked at, which may be a link") {
    f.names({{"a.jpg", file}, {"last.jpg", 0}});
    f.end();
    f.sender.answer(type::lstat, status_reply(status::failure));
    f.sender.answer(type::readlink, status_reply(status::unsupported));
  }
  SECTION("one that can't be opened") {
    f.names({{"a.jpg", file}, {"last.jpg", 0}});
    f.end();
    f.sender.answer(type::lstat, status_reply(status::permission_denied));
    f.sender.answer(type::readlink, status_reply(status::failure));
    f.sender.answer(type::opendir, status_reply(status::failure));
    f.sender.answer(type::open, status_reply(status::permission_denied, "not for you"));
    CHECK_THAT(f.to->why.value().text, contains_text("not for you"));
  }
  SECTION("one that is there, and that no request finds") {
    f.names({{"a.jpg", file}, {"last.jpg", 0}});
    f.end();
    f.sender.answer(type::lstat, reply{type::attrs}.attrs(0644, 3, 1000));
    for (const auto t : {type::readlink, type::opendir, type::open})
      f.sender.answer(t, status_reply(status::no_such_file));
  }
  CHECK(f.to->ends == 1);
  CHECK(f.to->names() == strings{"a.jpg"});
  REQUIRE(f.to->why);
  CHECK(f.to->why->why == cause::source_error);
  CHECK_THAT(f.to->why->text, contains_text("2013/last.jpg"));
}

TEST_CASE("thousands of symbolic links are asked for a few at a time, and keep back further names") {
  list_fixture f;
  f.open();
  std::vector<std::pair<std::string, std::uint32_t>> links;
  for (int i = 0; i < 1500; ++i) links.emplace_back(std::to_string(i), link);
  f.names(links);
  CHECK(f.sender.count(type::readlink) < 100);
  const auto asked = f.sender.count(type::readdir);
  f.names({});
  CHECK(f.sender.count(type::readdir) == asked - 1);
  f.end();
  while (f.sender.count(type::readlink) > 0) f.sender.answer(type::readlink, link_reply("t"));
  f.end();
  CHECK(f.to->ends == 1);
  CHECK(f.to->all.size() == 1500);
}

TEST_CASE("a symbolic link is told with its target, which may be any bytes") {
  list_fixture f;
  f.open();
  f.names({{"latest", link}, {"a.jpg", file}, {"first", link}});
  REQUIRE(f.sender.count(type::readlink) == 2);
  f.end();
  CHECK(f.to->ends == 0);
  f.sender.answer(type::readlink, link_reply("2013/07/15"));
  f.sender.answer(type::readlink, link_reply("../\xff\n"));
  CHECK(f.to->ends == 1);
  REQUIRE(f.to->all.size() == 3);
  for (const auto& e : f.to->all) {
    if (e.name == "latest") CHECK(e.target == "2013/07/15");
    if (e.name == "first") CHECK(e.target == "../\xff\n");
  }
}

TEST_CASE("a target that a server tells as a whole path is the way there, where the link is as long as that") {
  const auto target = [](std::uint64_t size, std::string_view told) {
    list_fixture f{"2013/07"};
    f.open();
    f.sender.answer(type::readdir, reply{type::name}.u32(1).string("latest").string("").attrs(link, size, 1));
    f.end();
    f.sender.answer(type::readlink, link_reply(told));
    REQUIRE(f.to->all.size() == 1);
    return f.to->all[0].target;
  };
  CHECK(target(5, "/root/2013/07/1.jpg") == "1.jpg");
  CHECK(target(11, "/root/2013/06/1.jpg") == "../06/1.jpg");
  // It is what stands in the link, or nothing is known but what it leads to.
  CHECK(target(19, "/root/2013/07/1.jpg") == "/root/2013/07/1.jpg");
  CHECK(target(7, "/root/2013/07/1.jpg") == "/root/2013/07/1.jpg");
  CHECK(target(0, "/root/2013/07/1.jpg") == "/root/2013/07/1.jpg");
  CHECK(target(11, "/etc/passwd") == "/etc/passwd");
}

TEST_CASE("a server that breaks off at a directory's names says no more; what may be the cause is said") {
  list_fixture f;
  f.open();
  f.sender.answer(type::readdir, status_reply(status::failure, "Failure"));
  f.end();
  REQUIRE(f.to->ends == 1);
  CHECK_THAT(f.to->why->text, contains_text("2013: Failure (some servers can't list a directory with a name"));
}

TEST_CASE("a symbolic link that went meanwhile is not there") {
  list_fixture f;
  f.open();
  f.names({{"latest", link}});
  f.sender.answer(type::readlink, status_reply(status::no_such_file));
  f.end();
  CHECK(f.to->ends == 1);
  CHECK_FALSE(f.to->why);
  CHECK(f.to->all.empty());
}

TEST_CASE("a symbolic link that a server names twice breaks nothing") {
  list_fixture f;
  f.open();
  f.names({{"latest", link}, {"latest", link}});
  f.end();
  f.sender.answer(type::readlink, link_reply("15"));
  f.sender.answer(type::readlink, link_reply("15"));
  CHECK(f.to->ends == 1);
  CHECK_FALSE(f.to->why);
  for (const auto& e : f.to->all) CHECK(e.target == "15");
}

TEST_CASE("a name that can be none costs that name alone, and says why") {
  using namespace std::string_literals;
  const std::vector<std::pair<std::string, const char*>> names{{"", "an empty name"},
                                                               {"a/b", "a name with a '/'"},
                                                               {"/etc/passwd", "a name with a '/'"},
                                                               {"../x", "a name with a '/'"},
                                                               {"a\0b"s, "a name with a zero byte"},
                                                               {std::string(256, 'x'), "a name of 256 bytes"}};
  for (const auto& [bad, why] : names) {
    list_fixture f;
    f.open();
    f.names({{"good.jpg", file}, {bad, file}, {"\xff.jpg", file}});
    f.end();
    CHECK(f.to->ends == 1);
    CHECK_FALSE(f.to->why);
    CHECK(f.to->names() == strings{"good.jpg", "\xff.jpg"});
    REQUIRE(f.to->not_here.size() == 1);
    CHECK(f.to->not_here[0].first == bad);
    CHECK_THAT(f.to->not_here[0].second, contains_text(why));
  }
}

TEST_CASE("what a server calls names or targets does not fill the memory") {
  list_fixture f;
  f.open();
  const std::string vast(1 << 20, 'x');
  SECTION("names that can't stand here end the listing") {
    for (int i = 0; i < 40 && f.sender.count(type::readdir) > 0; ++i) f.names({{vast, file}});
    f.end();
    CHECK(f.to->why.value().why == cause::protocol);
    CHECK(f.to->not_here.size() < 20);
  }
  SECTION("a target that no link can have is kept as one") {
    f.sender.answer(type::readdir, reply{type::name}.u32(1).string("l").string("").attrs(link, 5, 1));
    f.end();
    f.sender.answer(type::readlink, link_reply('/' + vast));
    REQUIRE(f.to->all.size() == 1);
    CHECK(f.to->all[0].target.size() == 4096);
  }
  CHECK(f.to->ends == 1);
}

TEST_CASE("a directory that cannot be opened, or not read to its end, was not listed") {
  list_fixture f;
  SECTION("opened") { f.sender.answer(status_reply(status::permission_denied, "no")); }
  SECTION("read") {
    f.open();
    f.names({{"a.jpg", file}});
    f.sender.answer(type::readdir, status_reply(status::permission_denied, "no"));
    f.end();
  }
  CHECK(f.to->ends == 1);
  CHECK(f.to->why.value().why == cause::permission);
  CHECK(f.to->why->text == "user@host:22: 2013: no");
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

// A packet as large as they come, of one name many times.
reply thousands_of(const std::string& name, std::uint32_t mode, std::uint32_t count = 9000) {
  reply r{type::name};
  r.u32(count);
  for (std::uint32_t i = 0; i < count; ++i) r.string(name).string("").u32(4).u32(mode);
  return r;
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
