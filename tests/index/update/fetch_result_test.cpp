#include "index/update/fetch_result.hpp"

#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::transaction;

struct outcome_fixture : index_fixture {
  std::vector<index::change> notified;
  inode d = insert(root_inode, "d", directory_side(), directory_side());
  inode picture = insert(d, "a.jpg", file_side(10));
  outcome_fixture() {
    writer.on_change([this](std::vector<index::change> c) { notified.insert(notified.end(), c.begin(), c.end()); });
  }

  void arrive(const file_facts& s) {
    writer.run([&](transaction& t) { index::apply_arrival(t, {picture, d, "a.jpg", s, std::string(32, 'd')}); });
  }
  void fail(std::int64_t now) {
    writer.run([&](transaction& t) { index::apply_fetch_failure(t, picture, "bad sector", now); });
  }
  void change_source(const file_facts& s) {
    writer.run([&](transaction& t) { index::apply_source_attributes(t, picture, s); });
  }
  void find(const file_facts& s) {
    writer.run([&](transaction& t) { index::apply_found_entry(t, picture, s); });
  }
  entry now() { return row("d/a.jpg"); }
};

TEST_CASE("a picture that arrived is common, with its digest, and its view has not changed") {
  outcome_fixture f;
  f.arrive(file_side(10));
  CHECK(f.now().state == state::common);
  CHECK(f.now().local == file_side(10));
  CHECK(f.now().fetched);
  CHECK(f.now().sha256 == std::string(32, 'd'));
  CHECK(f.now().ino == f.picture);
  CHECK(f.notified.empty());
}

TEST_CASE("a picture that arrived after failures has no failure left") {
  outcome_fixture f;
  f.fail(1000);
  f.arrive(file_side(10));
  CHECK(f.now().state == state::common);
  CHECK(f.now().attempts == 0);
  CHECK(f.now().retry_at == 0);
  CHECK(f.now().error.empty());
}

TEST_CASE("a picture that was deleted here while it was fetched stays deleted") {
  outcome_fixture f;
  f.edit(f.picture, [](entry& e) { e.state = state::deleted; });
  f.arrive(file_side(10));
  CHECK(f.now().state == state::deleted);
}

TEST_CASE("a picture that left the source while it was fetched is here, as new") {
  outcome_fixture f;
  SECTION("with its row") {
    f.list(index::side::source, f.d, "d", {});
    REQUIRE_FALSE(f.at("d/a.jpg"));
  }
  SECTION("but for an outdated copy") {
    f.edit(f.picture, [](entry& e) { e.local = file_side(9), e.fetched = true; });
    f.list(index::side::source, f.d, "d", {});
    REQUIRE(f.now().state == state::added);
  }
  f.arrive(file_side(10));
  CHECK(f.now().state == state::added);
  CHECK(f.now().local == file_side(10));
  CHECK_FALSE(f.now().source);
}

TEST_CASE("a picture whose directory left as well is not entered below nothing") {
  outcome_fixture f;
  f.writer.run([&](transaction& t) {
    t.erase(t.by_inode(f.picture).value());
    t.erase(t.by_inode(f.d).value());
  });
  f.arrive(file_side(10));
  CHECK(f.readers.borrow()->totals().destination() == index::total{});
}

TEST_CASE("a picture that a scan saw change while it was fetched is fetched again") {
  outcome_fixture f;
  f.list(index::side::source, f.d, "d", {named("a.jpg", file_side(20, 2000))});
  f.arrive(file_side(10, 1000));
  CHECK(f.now().state == state::missing);
  CHECK(f.now().source == file_side(20, 2000));
  CHECK(f.now().local == file_side(10, 1000));
  CHECK(f.now().fetched);
}

TEST_CASE("the pause before a failed picture is tried again doubles, up to an hour") {
  outcome_fixture f;
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 9; ++i) {
    f.fail(1'000'000);
    pauses.push_back(f.now().retry_at - 1'000'000);
  }
  CHECK(pauses == std::vector<std::int64_t>{30, 60, 120, 240, 480, 960, 1920, 3600, 3600});
  CHECK(f.now().attempts == 9);
  CHECK(f.now().error == "bad sector");
  CHECK(f.now().state == state::failed);
  f.edit(f.picture, [](entry& e) { e.attempts = 4'000'000'000; });
  f.fail(1'000'000);
  CHECK(f.now().retry_at == 1'003'600);
}

TEST_CASE("a failure of what is here, deleted or skipped by now changes nothing") {
  outcome_fixture f;
  for (const state s : {state::common, state::added, state::conflict, state::deleted, state::skipped}) {
    f.edit(f.picture, [&](entry& e) { e.state = s, e.local = file_side(10); });
    f.fail(1000);
    CHECK(f.now().state == s);
    CHECK(f.now().error.empty());
  }
}

TEST_CASE("a picture that turned out to be another on the source is a gap of that size, and the kernel is told") {
  outcome_fixture f;
  f.fail(1000);
  f.change_source(file_side(11, 1500));
  CHECK(f.now().state == state::missing);
  CHECK(f.now().source == file_side(11, 1500));
  CHECK(f.now().attempts == 0);
  REQUIRE_FALSE(f.notified.empty());
  for (const auto& c : f.notified) {
    CHECK(c.what == index::change::what::content);
    CHECK(c.ino == f.picture);
  }
}

TEST_CASE("what stands here under a gap's name meanwhile is common or a conflict") {
  outcome_fixture f;
  f.fail(1000);
  f.find(file_side(10, 5000));
  CHECK(f.now().state == state::common);
  CHECK_FALSE(f.now().fetched);
  CHECK(f.now().sha256.empty());
  CHECK(f.now().error.empty());
  f.find(file_side(12));
  CHECK(f.now().state == state::conflict);
  CHECK(f.now().shown() == file_side(12));
}

TEST_CASE("a directory that was made here shows what the source's shows") {
  index_fixture f;
  const inode d = f.insert(root_inode, "d", directory_side(5));
  f.writer.run([&](transaction& t) { index::apply_made_entry(t, d, directory_side(99)); });
  CHECK(f.row("d").state == state::common);
  CHECK(f.row("d").shown() == directory_side(5));
}

TEST_CASE("what became of a picture whose row is gone changes nothing") {
  outcome_fixture f;
  write_watch watch{f.path};
  f.writer.run([&](transaction& t) {
    index::apply_fetch_failure(t, 999, "x", 1), index::apply_source_attributes(t, 999, file_side(1));
    index::apply_found_entry(t, 999, file_side(1)), index::apply_made_entry(t, 999, file_side(1));
  });
  CHECK_FALSE(watch.written());
}

}  // namespace
}  // namespace ferryfs::test
