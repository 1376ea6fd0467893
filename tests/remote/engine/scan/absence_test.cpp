// A name that a listing does not hold has left the source only if an own look says so, and never too many at once.
#include "index/query/unlisted_paths.hpp"
#include "index/update/decision.hpp"
#include "index/update/local_change.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/remote/scan_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;

struct source_of_many : scan_fixture {
  explicit source_of_many(int pictures) {
    for (int i = 0; i < pictures; ++i) source.put_file("d/" + std::to_string(i) + ".jpg", "x");
    scan();
  }
  void remove(int from, int to) {
    for (int i = from; i < to; ++i) source.remove("d/" + std::to_string(i) + ".jpg");
  }
  std::int64_t known() { return readers.borrow()->totals().source().files; }
  std::int64_t unlisted() { return readers.borrow()->unlisted(); }
};

TEST_CASE("a name that a listing lacks and that can't be looked at is not gone") {
  source_of_many f{3};
  const auto why = GENERATE(cause::permission, cause::source_error, cause::timeout);
  f.source.deny("d/1.jpg", why);
  const auto result = f.scan(true);
  CHECK_FALSE(result.complete());
  REQUIRE_FALSE(result.failures.empty());
  CHECK_THAT(result.failures[0].text, contains_text("d"));
  CHECK(f.known() == 3);
  f.source.mend("d/1.jpg");
  CHECK(f.scan(true).complete());
  CHECK(f.unlisted() == 0);
}

TEST_CASE("a directory that may be read and not be entered is not empty") {
  scan_fixture f;
  f.source.put_file("d/a.jpg", "x"), f.source.put_file("e/a.jpg", "x");
  f.source.deny("d/*");
  const auto result = f.scan();
  CHECK_FALSE(result.complete());
  CHECK(f.readers.borrow()->unlisted() == 1);
  CHECK(index::unlisted_paths(*f.readers.borrow()) == std::vector<std::string>{"d"});
  CHECK(f.readers.borrow()->why_unlisted(f.row("d").ino)->denied);
  CHECK(f.at("e/a.jpg"));
  f.source.mend("d/*");
  CHECK(f.scan().complete());
  CHECK(f.at("d/a.jpg"));
  CHECK(f.readers.borrow()->unlisted() == 0);
}

TEST_CASE("a directory that could be listed once, and cannot be now, keeps the archive from being complete") {
  source_of_many f{1};
  f.source.fail("d", cause::permission);
  CHECK_FALSE(f.scan(true).complete());
  CHECK(f.unlisted() == 1);
  f.source.mend("d");
  SECTION("until it is listed") { CHECK(f.scan(true).complete()); }
  SECTION("though its time did not change") { CHECK(f.scan(false).complete()); }
  CHECK(f.unlisted() == 0);
}

TEST_CASE("a few that are gone are believed to be") {
  const int few = GENERATE(15, 100);  // of 15, most
  source_of_many f{few};
  f.remove(0, 9);
  CHECK(f.scan().suspicious.empty());
  CHECK_FALSE(f.at("d/0.jpg"));
}

TEST_CASE("a mass disappearance is not believed, unless a person says so") {
  source_of_many f{100};
  SECTION("of names") { f.remove(0, 40); }
  SECTION("of a directory") { f.source.remove("d"), f.source.put_file("e/a.jpg", "x"); }
  SECTION("of all") { f.source.remove("d"); }
  const auto result = f.scan();
  CHECK_FALSE(result.complete());
  CHECK_THAT(result.suspicious, contains_text("ferryfs scan --believe"));
  CHECK(f.at("d/0.jpg"));
  CHECK(f.known() >= 100);
  CHECK_FALSE(f.scan().suspicious.empty());  // the next one finds the same
  f.believes.all = true;
  CHECK(f.scan(true).suspicious.empty());
  CHECK_FALSE(f.at("d/0.jpg"));
}

TEST_CASE("names that the source has lost, and that something was decided of, are looked for no more") {
  source_of_many f{100};
  f.writer.run([&](index::transaction& t) {
    for (int i = 0; i < 40; ++i) {
      const inode ino = t.child(f.row("d").ino, std::to_string(i) + ".jpg")->ino;
      i % 2 == 0 ? index::apply_removal(t, ino, 5)
                 : index::apply_rename(t, ino, f.row("d").ino, "kept-" + std::to_string(i), 5);
    }
  });
  f.remove(0, 40);
  f.believes.all = true;
  CHECK(f.scan(true).complete());
  f.believes.all = false;
  CHECK(f.scan(true).complete());
  f.believes.other_file_system = true;
  CHECK(f.scan(true).complete());
  for (int i = 0; i < 40; ++i) f.source.put_file("d/" + std::to_string(i) + ".jpg", "x");
  CHECK(f.scan(true).complete());
  CHECK(f.at("d/kept-1"));
  CHECK_FALSE(f.at("d/0.jpg"));
  CHECK_FALSE(f.at("d/1.jpg"));
}

TEST_CASE("a directory that was renamed here does not go in silence") {
  source_of_many f{100};
  f.source.put_file("e/a.jpg", "x");
  f.writer.run([&](index::transaction& t) { index::apply_rename(t, f.row("d").ino, root_inode, "kept", 5); });
  f.source.remove("d");
  CHECK_FALSE(f.scan().suspicious.empty());
  CHECK(f.at("kept/0.jpg"));
}

TEST_CASE("a source that comes back is believed again, and nothing was forgotten") {
  source_of_many f{50};
  f.source.remove("d");
  CHECK_FALSE(f.scan().suspicious.empty());
  for (int i = 0; i < 50; ++i) f.source.put_file("d/" + std::to_string(i) + ".jpg", "x");
  CHECK(f.scan().complete());
  CHECK(f.known() == 50);
  CHECK(f.readers.borrow()->lost_totals().files == 0);
}

TEST_CASE("a source that never showed anything is not believed to be empty") {
  scan_fixture f;
  CHECK_FALSE(f.scan().suspicious.empty());
  f.believes.all = true;
  CHECK(f.scan().complete());
  f.believes.all = false, f.believes.empty = true;
  CHECK(f.scan(true).complete());
}

TEST_CASE("of another file system than before no disappearance is believed, be it small") {
  source_of_many f{100};
  f.believes.other_file_system = true;
  CHECK(f.scan(true).complete());
  f.remove(0, 1);
  CHECK_FALSE(f.scan().suspicious.empty());
  CHECK(f.at("d/0.jpg"));
}

TEST_CASE("what a pattern leaves out goes without a look, and is no disappearance") {
  source_of_many f{100};
  f.leave_out = remote::filter{{"*.jpg"}, "generic"};
  CHECK(f.scan(true).complete());
  CHECK_FALSE(f.at("d/0.jpg"));
  CHECK(f.readers.borrow()->lost_totals().files == 0);
  f.leave_out = remote::filter{{}, "generic"};
  CHECK(f.scan(true).complete());
  CHECK(f.known() == 100);
}

TEST_CASE("a file that is empty for a moment, and left out for that, is the same file") {
  scan_fixture f;
  f.leave_out = remote::filter{{}, "webcampak"};
  f.source.put_file("d/last.jpg", "picture"), f.source.put_file("d/other.jpg", "picture");
  f.scan();
  const auto before = f.row("d/last.jpg");
  f.source.put_file("d/last.jpg", "");
  CHECK(f.scan(true).complete());
  CHECK(f.row("d/last.jpg") == before);
  CHECK(f.readers.borrow()->lost_totals().files == 0);
}

TEST_CASE("what was renamed into a directory that does not come back is not lost over another that can't be listed") {
  scan_fixture f;
  f.source.put_file("stays.jpg", "s"), f.source.put_file("den/x.jpg", "x");
  f.source.put_file("a/x.jpg", "x"), f.source.put_file("z/other.jpg", "o");
  f.source.fail("den", cause::permission);
  CHECK_FALSE(f.scan().complete());
  f.writer.run(
      [&](index::transaction& t) { index::apply_rename(t, f.row("a/x.jpg").ino, f.row("z").ino, "kept.jpg", 5); });
  f.source.remove("a"), f.source.remove("z");
  f.scan(true);
  CHECK_FALSE(f.at("z"));
  f.source.put_file("a/x.jpg", "x");
  f.scan(true);
  CHECK_FALSE(f.at("a/x.jpg"));  // its new directory may be in there
  f.writer.run([&](index::transaction& t) { index::apply_unlisted_acceptance(t, f.row("den").ino); });
  f.scan(true);
  CHECK(f.row("a/x.jpg").state == state::missing);
}

TEST_CASE("what was renamed into a directory that a scan comes by later is there at the scan's end") {
  scan_fixture f;
  f.source.put_file("stays.jpg", "s");
  const auto put = [&] {
    f.source.put_file("a/x.jpg", "x"), f.source.put_file("a/tree/deep/y.jpg", "y");
    f.source.put_file("z/deep/other.jpg", "o");
  };
  put();
  f.scan();
  f.writer.run([&](index::transaction& t) {
    const inode to = f.row("z/deep").ino;
    index::apply_rename(t, f.row("a/x.jpg").ino, to, "kept.jpg", 5);
    index::apply_rename(t, f.row("a/tree").ino, to, "kept", 5);
  });
  f.source.remove("a"), f.source.remove("z");
  CHECK(f.scan(true).complete());
  CHECK_FALSE(f.at("z"));
  put();
  CHECK(f.scan(true).complete());
  CHECK(f.row("z/deep/kept.jpg").state == state::missing);
  CHECK(f.row("z/deep/kept/deep/y.jpg").state == state::missing);
  CHECK_FALSE(f.at("a/x.jpg"));
  CHECK_FALSE(f.at("a/tree"));
  CHECK(f.row("z/deep/kept/deep").listed_mtime);
}

}  // namespace
}  // namespace ferryfs::test
