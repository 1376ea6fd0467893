// How a directory is opened, read to its end by READDIRs, and closed.
#include "tests/remote/source/sftp/list_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::sftp::status;
using remote::sftp::type;
using strings = std::vector<std::string>;

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

TEST_CASE("a server that breaks off at a directory's names says no more; what may be the cause is said") {
  list_fixture f;
  f.open();
  f.sender.answer(type::readdir, status_reply(status::failure, "Failure"));
  f.end();
  REQUIRE(f.to->ends == 1);
  CHECK_THAT(f.to->why->text, contains_text("2013: Failure (some servers can't list a directory with a name"));
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
    CHECK(f.to->why->text == "user@host:22: 2013: its names that can't be stored here take more than 16 MiB");
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

}  // namespace
}  // namespace ferryfs::test
