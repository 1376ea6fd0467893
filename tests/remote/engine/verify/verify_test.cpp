// Reading what is here again, and asking the source for its digests.
#include "remote/engine/verify/verifier.hpp"

#include "tests/remote/migration_fixture.hpp"

namespace ferryfs::test {
namespace {

// Two pictures that were fetched, one that was here before with the same size, one that only is here.
struct verify_fixture : migration_fixture {
  std::vector<std::string> lines;
  remote::verify_progress progress;

  verify_fixture() {
    source->put_file("d/a.jpg", content_of(3'000'000));
    source->put_file("d/b.jpg", "picture b");
    source->put_file("d/before.jpg", "same bytes");
    put_here("d/before.jpg", "same bytes");
    put_here("d/mine.jpg", "mine");
    scan();
    REQUIRE(fetch_below("").files == 2);
    scan();
    REQUIRE(of(state::common) == 3);
  }
  remote::verify_result verify(bool with_source = false, const std::string& path = "") {
    lines.clear();
    return verify_below(with_source ? remote::verify_how::both : remote::verify_how::here, path);
  }
  remote::verify_result verify_below(remote::verify_how how, const std::string& path = "") {
    return remote::verify_below({where, m.source(), m.index(), m.readers(), m.suspicion()}, path, how,
                                [&](const auto& l) { lines.push_back(l); }, progress, {});
  }
  // Other bytes of the same size and time.
  void spoil(const std::string& path) {
    std::string content = read_file(on_disk(path));
    content.back() = static_cast<char>(content.back() ^ 1);
    put_here(path, content);
  }
};

TEST_CASE("what is as it came is found so, and digests that were not known are stored") {
  verify_fixture f;
  CHECK(f.row("d/before.jpg").sha256.empty());
  const auto first = f.verify();
  CHECK((first.files == 4 && first.newly_digested == 2 && first.wrong == 0 && first.unverified == 0 && first.complete));
  CHECK(first.bytes == 3'000'000 + 9 + 10 + 4);
  CHECK(f.progress.files == 4);
  CHECK(f.row("d/before.jpg").sha256.size() == 32);
  CHECK(f.verify().newly_digested == 0);
  CHECK(f.verify(false, "d/b.jpg").files == 1);
  CHECK_FALSE(f.verify(false, "nothing").known);
  CHECK(f.lines.empty());
}

TEST_CASE("other bytes under the same size and time are found, told, and left on the disk as a conflict") {
  verify_fixture f;
  f.spoil("d/a.jpg");
  const std::string spoilt = read_file(f.on_disk("d/a.jpg"));
  for (int i = 0; i < 2; ++i) {
    const auto v = f.verify();
    CHECK((v.files == 3 && v.wrong == 1));
    REQUIRE(f.lines.size() == 1);
    CHECK_THAT(f.lines[0], contains_text("d/a.jpg: digest differs: "));
    CHECK(f.row("d/a.jpg").state == state::conflict);
    CHECK((read_file(f.on_disk("d/a.jpg")) == spoilt));
    f.scan();
  }
  SECTION("which the source's picture can end") {
    CHECK(f.resolve_below("d/a.jpg", remote::keep::source).files == 1);
    CHECK((read_file(f.on_disk("d/a.jpg")) == content_of(3'000'000)));
    CHECK(f.verify().wrong == 0);
    CHECK(f.row("d/a.jpg").state == state::common);
  }
  SECTION("or the operator's word") {
    CHECK(f.resolve_below("d/a.jpg", remote::keep::destination).files == 1);
    f.scan();
    CHECK(f.verify().wrong == 0);
    CHECK(f.row("d/a.jpg").state == state::added);
  }
}

TEST_CASE("a picture that only is here is told and nothing else") {
  verify_fixture f;
  f.verify();
  f.spoil("d/mine.jpg");
  CHECK(f.verify().wrong == 1);
  CHECK(f.row("d/mine.jpg").state == state::added);
  CHECK(f.verify().wrong == 1);
}

TEST_CASE("a file that is gone is told, and is a failed gap where the source has it") {
  verify_fixture f;
  std::filesystem::remove(f.on_disk("d/b.jpg"));
  CHECK(f.verify().wrong == 1);
  REQUIRE(f.lines.size() == 1);
  CHECK_THAT(f.lines[0], contains_text("d/b.jpg: its file is gone"));
  CHECK(f.row("d/b.jpg").state == state::failed);
  CHECK(f.fetch_below("d/b.jpg").files == 1);
  CHECK(f.verify().wrong == 0);
}

TEST_CASE("what has changed since the last scan is not judged") {
  verify_fixture f;
  f.put_here("d/b.jpg", "edited!!!", long_ago + 5);
  const auto v = f.verify();
  CHECK((v.wrong == 0 && v.unverified == 1));
  CHECK(f.row("d/b.jpg").state == state::common);
}

TEST_CASE("the source's own digests are compared, and what differs is a conflict") {
  verify_fixture f;
  const auto good = f.verify(true);
  CHECK((good.files == 4 && good.same_on_source == 3 && good.wrong == 0));
  CHECK(f.of(state::conflict) == 0);
}

TEST_CASE("bytes that were never proven, and that the source has not, are a conflict") {
  verify_fixture f;
  f.source->put_file("d/before.jpg", "SAME BYTES");
  for (const bool with_source : {true, false, true}) {
    CHECK(f.verify(with_source).wrong == 1);
    CHECK(f.row("d/before.jpg").state == state::conflict);
    f.scan();
  }
  CHECK_THAT(f.lines.at(0), contains_text("on the source"));
  CHECK(f.resolve_below("d/before.jpg", remote::keep::source).files == 1);
  CHECK(read_file(f.on_disk("d/before.jpg")) == "SAME BYTES");
}

TEST_CASE("a source that rots is not believed against what was fetched from it") {
  verify_fixture f;
  const auto proven = f.row("d/b.jpg").sha256;
  f.source->put_file("d/b.jpg", "pictuRe b");
  for (const bool with_source : {true, false, true}) {
    CHECK(f.verify(with_source).wrong == (with_source ? 1 : 0));
    CHECK(f.row("d/b.jpg").state == state::conflict);
    CHECK(f.row("d/b.jpg").sha256 == proven);
    f.scan();
  }
  CHECK_THAT(f.lines.at(0), contains_text("d/b.jpg: the source has other bytes"));
  const auto refused = f.resolve_below("", remote::keep::source);
  CHECK((refused.files == 0 && refused.not_done == 1));
  CHECK_THAT(refused.reasons.at(0), contains_text("--keep both"));
  CHECK(read_file(f.on_disk("d/b.jpg")) == "picture b");
  SECTION("both can be had") {
    CHECK(f.resolve_below("", remote::keep::both).files == 1);
    CHECK(f.fetch_below("d").failed == 0);
    CHECK(read_file(f.on_disk("d/b.source.jpg")) == "pictuRe b");
    CHECK(read_file(f.on_disk("d/b.jpg")) == "picture b");
  }
  SECTION("and mended, it is common again") {
    f.source->put_file("d/b.jpg", "picture b");
    CHECK(f.verify(true).wrong == 0);
    CHECK(f.row("d/b.jpg").state == state::common);
  }
}

TEST_CASE("another picture on the source is no proof against what is here") {
  verify_fixture f;
  f.source->put_file("d/b.jpg", "PICTURE B", long_ago + 60);
  const auto v = f.verify(true);
  CHECK((v.wrong == 0 && v.unverified == 1));
  CHECK_THAT(f.lines.at(0), contains_text("changed on the source"));
  CHECK(f.row("d/b.jpg").state == state::common);
}

TEST_CASE("what the source does not tell is not verified, and changes nothing") {
  verify_fixture f;
  f.source->fail("d/b.jpg", remote::cause::permission);
  const auto v = f.verify(true);
  CHECK((v.files == 3 && v.same_on_source == 2 && v.wrong == 0 && v.unverified == 1));
  CHECK_THAT(f.lines.at(0), contains_text("not compared with the source"));
  CHECK(f.row("d/b.jpg").state == state::common);
}

TEST_CASE("a source that is away is told of once, and makes no picture worse than it is") {
  verify_fixture f;
  f.verify();
  for (const char* path : {"d/a.jpg", "d/b.jpg", "d/before.jpg"}) f.source->fail(path, remote::cause::unreachable);
  f.spoil("d/b.jpg");
  const auto v = f.verify(true);
  CHECK((v.files == 3 && v.same_on_source == 0 && v.wrong == 1 && v.unverified == 0 && v.uncompared == 3));
  CHECK_FALSE(v.why_uncompared.empty());
  REQUIRE(f.lines.size() == 1);
  CHECK_THAT(f.lines[0], contains_text("d/b.jpg: digest differs"));
  CHECK(f.of(state::common) == 2);
  CHECK_FALSE(f.row("d/before.jpg").is_compared());
  for (const char* path : {"d/a.jpg", "d/b.jpg", "d/before.jpg"}) f.source->mend(path);
  CHECK(f.verify(true).uncompared == 0);
  CHECK(f.row("d/before.jpg").is_compared());
}

TEST_CASE("a source that is not believed is not compared with, and that is told once") {
  verify_fixture f;
  f.source->remove("d");
  f.scan();
  REQUIRE_FALSE(f.m.suspicion().empty());
  const auto v = f.verify(true);
  INFO(v.files << ' ' << v.wrong << ' ' << v.unverified << ' ' << v.uncompared << ' '
               << (f.lines.empty() ? "" : f.lines[0]));
  CHECK((v.files == 4 && v.wrong == 0 && v.unverified == 0 && v.uncompared == 3));
  CHECK(v.why_uncompared == f.m.suspicion());
  CHECK(f.lines.empty());
}

TEST_CASE("what was compared, or fetched, is not compared again until one side stands otherwise") {
  verify_fixture f;
  const auto compare = [&] { return f.verify_below(remote::verify_how::uncompared); };
  const auto uncompared = [&] { return f.m.readers().borrow()->uncompared(); };
  CHECK(uncompared() == 1);
  CHECK(compare().same_on_source == 1);  // d/before.jpg
  CHECK(uncompared() == 0);
  CHECK(compare().same_on_source == 0);
  f.source->put_file("d/before.jpg", "same bytes", long_ago + 100);
  f.scan();
  CHECK(uncompared() == 1);
  CHECK(compare().same_on_source == 1);
  CHECK(compare().same_on_source == 0);
  f.source->put_file("d/before.jpg", "other byte", long_ago + 200);
  f.scan();
  CHECK(compare().wrong == 1);
  CHECK(f.row("d/before.jpg").state == state::conflict);
}

}  // namespace
}  // namespace ferryfs::test
