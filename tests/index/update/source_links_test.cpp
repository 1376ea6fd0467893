// Which links of the source are refused, and what becomes of such a row.
#include "index/update/source_links.hpp"

#include "index/update/decision.hpp"
#include "index/update/fetch_result.hpp"
#include "index/update/local_change.hpp"
#include "index/update/push_result.hpp"
#include "index/update/replay.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::link_policy;

struct links_fixture : index_fixture {
  index::link_rules rules{link_policy::inside, {"/srv/new"}};
  inode day = 0;

  links_fixture() {
    source({named("day", directory_side())});
    day = row("day").ino;
    source_day({named("1.jpg", file_side(10))});
  }
  void source(std::vector<index::directory_entry> names) {
    if (day != 0) names.push_back(named("day", directory_side()));
    list_source(names);
  }
  void source_day(const std::vector<index::directory_entry>& names) { list(index::side::source, day, "day", names); }
  // A link of the source in `day`.
  inode link(const std::string& target, const std::string& name = "link") {
    source_day({named("1.jpg", file_side(10)), named(name, link_side(target.size()), target)});
    judge();
    return row("day/" + name).ino;
  }
  void judge() {
    std::vector<inode> all;
    readers.borrow()->links(0, 1000, [&](const entry& e) { all.push_back(e.ino); });
    writer.run([&](index::transaction& t) {
      for (const inode ino : all) index::apply_link_rules(t, ino, rules);
    });
  }
  std::string objection(const std::string& where) {
    const auto reader = readers.borrow();
    return index::link_judge{*reader, rules}.objection(row(where));
  }
  bool accept(inode ino) {
    return writer.run([&](index::transaction& t) { return index::apply_link_acceptance(t, ino); });
  }
  std::int64_t count(state s) { return readers.borrow()->totals().of(s).files; }
};

TEST_CASE("a link of the source that leads out is refused and counted, and no gap", "[links]") {
  links_fixture f;
  f.link("/etc/shadow");
  const entry e = f.row("day/link");
  CHECK(e.state == state::refused);
  CHECK(e.reason == reason::leads_out);
  CHECK_THAT(e.error, contains_text("/etc/shadow"));
  CHECK(e.is_link());
  CHECK_FALSE(e.is_gap());
  CHECK_FALSE(e.is_local());
  CHECK(f.count(state::refused) == 1);
  CHECK(f.count(state::missing) == 1);
  f.edit(f.row("day/1.jpg").ino, [](entry& p) { p.local = p.source, p.state = state::common; });
  f.edit(f.day, [](entry& d) { d.local = d.source, d.state = state::common; });
  CHECK_FALSE(f.readers.borrow()->totals().complete());
  CHECK(f.readers.borrow()->totals(f.day).of(state::refused).files == 1);
}

TEST_CASE("a link that stays inside is a gap as any other", "[links]") {
  links_fixture f;
  for (const char* target : {"1.jpg", "absent", "../day", "/srv/new/day/1.jpg"}) {
    CAPTURE(target);
    f.link(target);
    CHECK(f.row("day/link").state == state::missing);
  }
}

TEST_CASE("a scan keeps what was refused, and a new target is judged anew", "[links]") {
  links_fixture f;
  const inode ino = f.link("/etc/shadow");
  f.source_day({named("link", link_side(11), "/etc/shadow")});
  CHECK(f.row("day/link").state == state::refused);
  f.source_day({named("link", link_side(11, 2000), "/etc/passwd")});
  CHECK(f.row("day/link").state == state::refused);
  f.judge();
  CHECK_THAT(f.row("day/link").error, contains_text("/etc/passwd"));
  f.link("1.jpg");
  CHECK(f.row("day/link").state == state::missing);
  CHECK(f.row("day/link").reason == reason::none);
  CHECK(f.row("day/link").ino == ino);
}

TEST_CASE("a name that is a link no more is refused no more", "[links]") {
  links_fixture f;
  f.link("/etc/shadow");
  SECTION("a picture") { f.source_day({named("link", file_side(10))}); }
  SECTION("a directory") { f.source_day({named("link", directory_side())}); }
  CHECK(f.row("day/link").state == state::missing);
  CHECK(f.count(state::refused) == 0);
}

TEST_CASE("a refused link that leaves the source is gone, and nothing is lost with it", "[links]") {
  links_fixture f;
  f.link("/etc/shadow");
  f.source_day({named("1.jpg", file_side(10))});
  CHECK_FALSE(f.at("day/link"));
  CHECK(f.count(state::refused) == 0);
  CHECK(f.readers.borrow()->lost_totals().files == 0);
}

TEST_CASE("what is not listed yet is not known to stay inside", "[links]") {
  links_fixture f;
  f.source({named("other", directory_side()), named("l", link_side(), "other/a/../../x")});
  f.judge();
  CHECK(f.row("l").state == state::refused);
  const inode other = f.row("other").ino;
  f.list(index::side::source, other, "other", {named("a", directory_side())});
  f.judge();
  CHECK(f.row("l").state == state::missing);
}

TEST_CASE("a directory on the way that becomes a link turns the others with it", "[links]") {
  links_fixture f;
  f.source({named("d", directory_side()), named("l", link_side(), "d/../day")});
  f.list(index::side::source, f.row("d").ino, "d", {});
  f.judge();
  CHECK(f.row("l").state == state::missing);
  f.source({named("d", link_side(1), "."), named("l", link_side(), "d/../day")});
  CHECK_FALSE(f.objection("l").empty());
  f.judge();
  CHECK(f.row("l").state == state::refused);
  CHECK(f.row("d").state == state::missing);
}

TEST_CASE("links that somebody made here are his, and are followed on the way of others", "[links]") {
  links_fixture f;
  f.writer.run([&](index::transaction& t) {
    index::apply_creation(t, {f.day, "mine", link_side(4), {}, {}, "/etc"}, 1);
    index::apply_creation(t, {f.day, "near", link_side(1), {}, {}, "."}, 1);
  });
  f.judge();
  CHECK(f.row("day/mine").state == state::added);
  CHECK_FALSE(index::is_of_source(f.row("day/mine")));
  f.link("mine/shadow", "theirs");
  CHECK(f.row("day/theirs").state == state::refused);
  f.link("near/1.jpg", "theirs");
  CHECK(f.row("day/theirs").state == state::missing);
}

TEST_CASE("a link that was made here stays its maker's when the source has it as well", "[links]") {
  links_fixture f;
  const inode ino = f.writer.run([&](index::transaction& t) {
    return index::apply_creation(t, {f.day, "mine", link_side(4), {}, {}, "/etc"}, 1);
  });
  f.writer.run([&](index::transaction& t) { index::apply_push_result(t, {*t.by_inode(ino), link_side(4), ""}); });
  REQUIRE(f.row("day/mine").state == state::common);
  f.judge();
  CHECK(f.row("day/mine").state == state::common);
  CHECK(f.objection("day/mine").empty());
}

TEST_CASE("a link that is on both sides and leads out is refused, and is one here no less", "[links]") {
  links_fixture f;
  f.link("/etc/shadow");
  f.list(index::side::destination, f.day, "day", {named("link", link_side(11), "/etc/shadow")}, 0);
  CHECK(f.row("day/link").state == state::refused);
  CHECK(f.row("day/link").local);
  f.judge();
  CHECK(f.row("day/link").state == state::refused);
  f.rules.policy = link_policy::all;
  f.judge();
  CHECK(f.row("day/link").state == state::common);
  f.rules.policy = link_policy::inside;
  f.judge();
  CHECK(f.row("day/link").state == state::refused);
  f.list(index::side::destination, f.day, "day", {named("link", file_side(3))}, 0);
  CHECK(f.row("day/link").state == state::conflict);
}

TEST_CASE("all links are taken over, or none", "[links]") {
  links_fixture f;
  f.rules.policy = link_policy::all;
  f.link("/etc/shadow");
  CHECK(f.row("day/link").state == state::missing);
  f.rules.policy = link_policy::none;
  f.link("1.jpg");
  CHECK(f.row("day/link").state == state::refused);
  CHECK_THAT(f.row("day/link").error, contains_text("--links"));
  for (const auto p : {link_policy::inside, link_policy::all, link_policy::none})
    CHECK(index::link_policy_named(name_of(p)) == p);
  CHECK_FALSE(index::link_policy_named("outside"));
}

TEST_CASE("a link that the operator took over stays so, until it leads elsewhere", "[links]") {
  links_fixture f;
  const inode ino = f.link("/mnt/disk2/old");
  REQUIRE(f.accept(ino));
  CHECK(f.row("day/link").state == state::missing);
  f.link("/mnt/disk2/old");
  CHECK(f.row("day/link").state == state::missing);
  f.rules.policy = link_policy::none;
  f.judge();
  CHECK(f.row("day/link").state == state::missing);
  f.rules.policy = link_policy::inside;
  f.link("/etc/shadow");
  CHECK(f.row("day/link").state == state::refused);
  CHECK(f.accept(ino));
  CHECK_FALSE(f.accept(ino));
  CHECK_FALSE(f.accept(f.row("day/1.jpg").ino));
}

TEST_CASE("that a link was taken over is told to the file of decisions, and read from it", "[links]") {
  links_fixture f;
  f.link("/mnt/disk2/old");
  REQUIRE(f.accept(f.row("day/link").ino));
  const auto line = f.writer.run([](index::transaction& t) { return t.unwritten_decisions().text; });
  auto reported = index::parse_decision(line.substr(0, line.find('\n')));
  REQUIRE(reported);
  CHECK(reported->verb == "accepted-link");
  CHECK(reported->path == "day/link");
  CHECK(reported->other == "/mnt/disk2/old");

  links_fixture anew;
  anew.link("/mnt/disk2/old");
  const auto replay = [&] {
    return anew.writer.run([&](index::transaction& t) { return index::replay(t, *reported, 1); });
  };
  CHECK(replay());
  anew.judge();
  CHECK(anew.row("day/link").state == state::missing);
  reported->other = "/etc/shadow";
  CHECK_FALSE(replay());
}

TEST_CASE("a refused link can be skipped, and is refused again when it is wanted", "[links]") {
  links_fixture f;
  const inode ino = f.link("/etc/shadow");
  CHECK(f.writer.run([&](index::transaction& t) { return index::apply_skip(t, ino); }));
  f.judge();
  CHECK(f.row("day/link").state == state::skipped);
  CHECK_FALSE(f.objection("day/link").empty());
  CHECK(f.writer.run([&](index::transaction& t) { return index::apply_unskip(t, ino); }));
  f.judge();
  CHECK(f.row("day/link").state == state::refused);
}

TEST_CASE("a refused link that is removed here stays removed", "[links]") {
  links_fixture f;
  const inode ino = f.link("/etc/shadow");
  f.writer.run([&](index::transaction& t) { index::apply_removal(t, ino, 1); });
  f.link("/etc/shadow");
  CHECK(f.row("day/link").state == state::deleted);
  CHECK(f.count(state::refused) == 0);
}

TEST_CASE("what was put on the disk from the source is the source's word, also when it has left there", "[links]") {
  links_fixture f;
  const inode ino = f.link("no/../../x");
  CHECK(f.row("day/link").state == state::refused);
  f.link("no/x");
  f.writer.run([&](index::transaction& t) { index::apply_made_entry(t, ino, link_side(4)); });
  CHECK(f.row("day/link").state == state::common);
  f.source_day({named("1.jpg", file_side(10))});
  CHECK(f.row("day/link").state == state::added);
  CHECK(index::is_of_source(f.row("day/link")));
}

TEST_CASE("links are found without reading other rows", "[links]") {
  links_fixture f;
  f.link("/etc/shadow");
  f.link("1.jpg", "other");
  std::vector<std::string> names;
  f.readers.borrow()->links(0, 10, [&](const entry& e) { names.push_back(e.name); });
  CHECK(names == std::vector<std::string>{"other"});
  const SQLite::Database database{f.path, SQLite::OPEN_READONLY};
  SQLite::Statement plan{database,
                         "EXPLAIN QUERY PLAN SELECT ino FROM entry INDEXED BY entry_link WHERE target IS NOT "
                         "NULL AND hidden = 0 AND ino > 1 ORDER BY ino LIMIT 10"};
  REQUIRE(plan.executeStep());
  CHECK_THAT(plan.getColumn(3).getString(), contains_text("entry_link"));
}

}  // namespace
}  // namespace ferryfs::test
