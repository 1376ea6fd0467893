// Listings whose READDIRs go with the OPENDIR, by a handle that was predicted.
#include "tests/remote/source/sftp/list_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::sftp::status;
using remote::sftp::type;
using strings = std::vector<std::string>;

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

}  // namespace
}  // namespace ferryfs::test
