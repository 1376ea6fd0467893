// The symbolic links of a listing, each with its target.
#include "tests/remote/source/sftp/list_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::sftp::status;
using remote::sftp::type;

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
  const auto target = [](std::uint64_t size, std::string_view shown) {
    list_fixture f{"2013/07"};
    f.open();
    f.sender.answer(type::readdir, reply{type::name}.u32(1).string("latest").string("").attrs(link, size, 1));
    f.end();
    f.sender.answer(type::readlink, link_reply(shown));
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

}  // namespace
}  // namespace ferryfs::test
