// The names of a listing whose attributes do not tell their kind.
#include "tests/remote/source/sftp/list_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::sftp::status;
using remote::sftp::type;
using strings = std::vector<std::string>;

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

}  // namespace
}  // namespace ferryfs::test
