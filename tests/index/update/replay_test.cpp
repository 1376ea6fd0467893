// An index that is made anew from the source's listing, the lines that an earlier one has left, and then the
// destination's listing holds what that one held.
#include "index/update/replay.hpp"

#include <functional>
#include <map>
#include <sstream>

#include "index/update/decision.hpp"
#include "index/update/decisions_in_force.hpp"
#include "index/update/local_change.hpp"
#include "index/update/refused_names.hpp"
#include "index/update/source_links.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using listing = std::vector<index::directory_entry>;

// The source has a.jpg to e.jpg of other sizes, and the directory `day` with x.jpg and y.jpg.
struct archive {
  index_fixture f;
  listing root{named("day", directory_side())}, day{named("x.jpg", file_side(21)), named("y.jpg", file_side(22))};

  archive() {
    for (std::uint64_t i = 0; i < 5; ++i) root.push_back(named(std::string(1, "abcde"[i]) + ".jpg", file_side(10 + i)));
  }
  std::function<void(index::transaction&)> more = [](auto&) {};  // that a scan of the source finds
  void list_source() {
    for (const auto& d : f.list_source(root)) f.list(index::side::source, d.ino, d.path, day);
    f.writer.run([&](index::transaction& t) { more(t); });
  }
  std::vector<std::string> lines() {
    const auto text = f.writer.run([](index::transaction& t) { return t.unwritten_decisions().text; });
    std::istringstream in{text};
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }
  template <typename Work>
  void change(Work&& work) {
    f.writer.run([&](index::transaction& t) { work(t); });
  }
  void rename(const char* from, inode to, const std::string& name) {
    const inode ino = f.row(from).ino;
    change([&](index::transaction& t) { index::apply_rename(t, ino, to, name, 1); });
  }
  void remove(const char* path) {
    const inode ino = f.row(path).ino;
    change([&](index::transaction& t) { index::apply_removal(t, ino, 1); });
  }
  // The files here below a directory, by path.
  void files_of(inode directory, std::map<std::string, listing>& by_path, const std::string& path = "") {
    listing names;
    std::vector<std::pair<inode, std::string>> below;
    f.readers.borrow()->children(directory, "", [&](entry&& e) {
      if (e.local) names.push_back(named(e.name, *e.local));
      if (e.local && S_ISDIR(e.local->mode)) below.emplace_back(e.ino, path.empty() ? e.name : path + "/" + e.name);
      return true;
    });
    by_path[path] = names;
    for (const auto& [ino, at] : below) files_of(ino, by_path, at);
  }
  // Names, states and what each has on the source; hidden ones in brackets.
  void tell(inode directory, std::map<std::string, std::string>& all, const std::string& path = "") {
    const auto reader = f.readers.borrow();
    const auto one = [&](entry&& e) {
      const auto at = path.empty() ? e.name : path + "/" + e.name;
      std::ostringstream text;
      text << name_of(e.state) << (e.source ? " there " + std::to_string(e.source->size) : "")
           << (e.local && !e.is_directory() ? " here " + std::to_string(e.local->size) : "") << " of "
           << reader->source_path(e.ino).value_or("-");
      all[is_hidden(e.state) ? "[" + at + "]" : at] = text.str();
      if (!is_hidden(e.state) && e.is_directory()) tell(e.ino, all, at);
      return true;
    };
    reader->children(directory, "", one);
    reader->hidden_children(directory, "", one);
  }
  std::map<std::string, std::string> state_lines() {
    std::map<std::string, std::string> all;
    tell(root_inode, all);
    const auto reader = f.readers.borrow();
    all["(refused)"] = std::to_string(reader->refused_names().files);
    all["(unlisted)"] = std::to_string(reader->unlisted());
    return all;
  }
};

// `here` holds what the destination is to show, by the index that the lines are of.
void check_rebuilt(archive& first, const std::vector<std::string>& lines) {
  archive again;
  again.root = first.root, again.day = first.day, again.more = first.more;
  again.list_source();
  again.change([&](index::transaction& t) {
    for (const auto& line : lines) {
      CAPTURE(line);
      CHECK(index::replay(t, index::parse_decision(line).value(), 2));
    }
  });
  std::map<std::string, listing> here;
  first.files_of(root_inode, here);
  for (const auto& [path, names] : here) {
    const auto directory = again.f.readers.borrow()->at(path);
    REQUIRE(directory);
    again.f.list(index::side::destination, directory->ino, path, names, 0);
  }
  CHECK(again.state_lines() == first.state_lines());
  CHECK(again.lines().empty());
}
// From the lines that told each decision, and from those that tell what is in force alone.
void check_rebuilt(archive& first) {
  check_rebuilt(first, first.lines());
  first.change([](index::transaction& t) {
    t.forget_decisions(1'000'000);
    index::decide_what_is_in_force(t);
  });
  CAPTURE(first.lines());
  check_rebuilt(first, first.lines());
}

}  // namespace

TEST_CASE("what was deleted stays deleted in a new index") {
  archive a;
  a.list_source();
  a.remove("a.jpg");
  a.remove("day/x.jpg");
  a.remove("day/y.jpg");
  a.remove("day");
  check_rebuilt(a);
}

TEST_CASE("what was renamed has its new name in a new index, and its source") {
  archive a;
  a.list_source();
  const auto made = [&](const char* name) {
    return a.f.writer.run([&](index::transaction& t) {
      return index::apply_creation(t, {root_inode, name, directory_side(), {}, {}, ""}, 1);
    });
  };
  const inode album = made("album");
  a.rename("a.jpg", album, "1.jpg");
  a.rename("album/1.jpg", root_inode, "2.jpg");
  a.rename("day", album, "some day");
  a.rename("album/some day/x.jpg", root_inode, "a.jpg");
  a.f.edit(a.f.row("2.jpg").ino, [](entry& e) { e.local = e.source, e.state = state::common; });  // fetched
  SECTION("over another") { a.rename("2.jpg", root_inode, "b.jpg"); }
  SECTION("back") { a.rename("2.jpg", root_inode, "old.jpg"); }
  SECTION("exchanged") {
    a.change([&](index::transaction& t) { index::apply_exchange(t, a.f.row("2.jpg").ino, a.f.row("c.jpg").ino, 1); });
  }
  SECTION("deleted in the end") { a.remove("2.jpg"); }
  check_rebuilt(a);
}

TEST_CASE("what was skipped or wanted again is so in a new index") {
  archive a;
  a.list_source();
  for (const char* name : {"a.jpg", "b.jpg"})
    a.change([&](index::transaction& t) { index::apply_skip(t, a.f.row(name).ino); });
  a.change([&](index::transaction& t) { index::apply_unskip(t, a.f.row("a.jpg").ino); });
  check_rebuilt(a);
}

TEST_CASE("what was accepted of names, directories and links is so in a new index") {
  archive a;
  SECTION("a name that can't stand here") {
    const std::string name = GENERATE(std::string(300, 'x'), std::string("with/slash"), std::string("zero\0byte", 9),
                                      std::string("new\nline"));
    const inode parent = GENERATE(0, 1);
    a.more = [=](index::transaction& t) {
      index::apply_refused_names(t, parent == 0 ? root_inode : t.child(root_inode, "day")->ino, {{name, "why"}}, true);
    };
    a.list_source();
    const auto reader = a.f.readers.borrow();
    a.change([&](index::transaction& t) { REQUIRE(index::skip_refused(t, *reader, "") == 1); });
    CHECK(a.state_lines()["(refused)"] == "0");
  }
  SECTION("a directory that can't be listed") {
    a.more = [](index::transaction& t) { t.could_not_list(t.child(root_inode, "day")->ino, true, "denied"); };
    a.list_source();
    CHECK(a.state_lines()["(unlisted)"] == "1");
    a.change([&](index::transaction& t) {
      REQUIRE(index::apply_skip(t, a.f.row("day").ino));
      REQUIRE(index::apply_unlisted_acceptance(t, a.f.row("day").ino));
    });
    CHECK(a.state_lines()["(unlisted)"] == "0");
  }
  SECTION("a link that leads out") {
    a.root.push_back({"out", {S_IFLNK | 0777, 4, 1000}, "/etc", {}, {}});
    a.more = [](index::transaction& t) { index::apply_link_rules(t, t.child(root_inode, "out")->ino, {}); };
    a.list_source();
    REQUIRE(a.f.row("out").state == state::refused);
    a.change([&](index::transaction& t) { REQUIRE(index::apply_link_acceptance(t, a.f.row("out").ino)); });
    CHECK(a.f.row("out").state == state::missing);
  }
  check_rebuilt(a);
}

TEST_CASE("conflicts that were decided are not open in a new index") {
  archive a;
  a.list_source();
  a.f.list_destination(
      {named("a.jpg", file_side(1000)), named("b.jpg", file_side(1001)), named("c.jpg", file_side(1002))});
  a.change([&](index::transaction& t) { index::apply_keep_destination(t, a.f.row("a.jpg").ino); });
  a.change([&](index::transaction& t) { index::apply_keep_both(t, a.f.row("b.jpg").ino, "b.source.jpg"); });
  SECTION("as they were decided") {}
  SECTION("and what was kept and then removed is deleted") { a.remove("a.jpg"); }
  SECTION("but where the source's copy became another since") {
    const auto before = a.lines();
    a.root.at(1).attributes = file_side(500, 2000);
    a.list_source();
    REQUIRE(a.f.row("a.jpg").state == state::conflict);
    REQUIRE(a.lines().size() == before.size() + 1);
  }
  check_rebuilt(a);
}

TEST_CASE("a picture that the source got under a name that stands for another here is in conflict in a new index too") {
  archive a;
  a.list_source();
  a.rename("a.jpg", root_inode, "late.jpg");
  a.root.push_back(named("late.jpg", file_side(99)));
  a.list_source();
  REQUIRE(a.f.writer.run([](index::transaction& t) { return t.hidden_child(root_inode, "late.jpg"); })->state ==
          state::shadowed);
  SECTION("open") {}
  SECTION("decided for what is here") {
    a.change(
        [&](index::transaction& t) { index::apply_keep_destination(t, t.hidden_child(root_inode, "late.jpg")->ino); });
  }
  SECTION("decided for both") {
    a.change([&](index::transaction& t) {
      index::apply_keep_both(t, t.hidden_child(root_inode, "late.jpg")->ino, "late.source.jpg");
    });
  }
  check_rebuilt(a);
}

TEST_CASE("a decision about what the source does not have any more is left out of a new index") {
  archive a;
  a.list_source();
  const auto old = [](const char* verb, const char* path, const char* other = "") {
    return index::decision_line{"2024", verb, path, other};
  };
  a.change([&](index::transaction& t) {
    CHECK_FALSE(index::replay(t, old("deleted", "gone.jpg"), 1));
    CHECK_FALSE(index::replay(t, old("renamed", "gone/1.jpg", "2.jpg"), 1));
    CHECK_FALSE(index::replay(t, old("skipped", "gone.jpg"), 1));
    CHECK_FALSE(index::replay(t, old("reopened", "a.jpg"), 1));
    CHECK_FALSE(index::replay(t, old("dreamt", "a.jpg"), 1));
  });
  CHECK(a.lines().empty());
}

TEST_CASE("what is only here and comes and goes needs no decision") {
  archive a;
  a.list_source();
  const inode made = a.f.writer.run([&](index::transaction& t) {
    return index::apply_creation(t, {root_inode, "new.part", file_side(5), {}, {}, ""}, 1);
  });
  a.change([&](index::transaction& t) { index::apply_rename(t, made, root_inode, "new.jpg", 1); });
  a.remove("new.jpg");
  CHECK(a.lines().empty());
}

}  // namespace ferryfs::test
