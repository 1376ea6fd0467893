// How change_task finds out in which order a server takes the two paths of a SYMLINK.
#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "remote/source/temporary_name.hpp"
#include "tests/remote/source/sftp/change_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::sftp::change;
using remote::sftp::status;
using remote::sftp::type;

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
      CHECK_THAT(f.why->text, contains_text("can't be removed (no)"));
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

}  // namespace ferryfs::test
