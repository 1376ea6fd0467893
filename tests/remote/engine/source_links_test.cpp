// Links of the source that lead out, in the whole engine: what is put on the destination's disk, and what is taken off.
#include <filesystem>
#include <future>

#include "index/update/decision.hpp"
#include "remote/engine/decide/skip.hpp"
#include "remote/engine/scan/judge_links.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/remote/migration_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::keep;
namespace stdfs = std::filesystem;

struct links_fixture : migration_fixture {
  links_fixture() {
    source->put_file("day/1.jpg", "picture");
    source->put_link("day/last", "1.jpg");
    source->put_link("day/shadow", "/etc/shadow");
    source->put_link("day/up", "..");
    source->put_link("day/climbs", "up/../outside");
    source->put_link("day/absolute", stdfs::path(where.path()) / "day/1.jpg");
    source->put_link("round", "about");
    source->put_link("about", "round");
  }
  bool on_destination(const std::string& path) const { return stdfs::exists(stdfs::symlink_status(on_disk(path))); }
  // Makes here what needs no bytes, until nothing more comes.
  void replicate() {
    std::promise<void> end;
    m.replicate().resume();
    m.replicate().when_idle([&] { end.set_value(); });
    REQUIRE(end.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    m.replicate().pause();
  }
  remote::resolve_result resolve(const std::string& path, keep what) { return resolve_below(path, what); }
};

TEST_CASE("links that lead out are counted after a scan, and never come to the disk", "[links]") {
  links_fixture f;
  f.scan();
  CHECK(f.of(state::refused) == 4);
  f.replicate();
  for (const char* refused : {"day/shadow", "day/climbs", "round", "about"}) {
    CAPTURE(refused);
    CHECK(f.row(refused).state == state::refused);
    CHECK_FALSE(f.on_destination(refused));
  }
  for (const char* taken : {"day/last", "day/up", "day/absolute"}) {
    CAPTURE(taken);
    CHECK(f.row(taken).state == state::common);
    CHECK(f.on_destination(taken));
  }
  CHECK(f.row("day/1.jpg").state == state::common);
  CHECK_FALSE(f.m.readers().borrow()->totals().complete());
  f.scan();
  CHECK(f.of(state::refused) == 4);
}

TEST_CASE("a link that was put on the disk and leads out by now is taken off it", "[links]") {
  links_fixture f;
  f.source->put_directory("d");
  f.source->put_link("l", "d/../day/1.jpg");
  f.scan();
  f.replicate();
  REQUIRE(f.on_destination("l"));
  stdfs::remove(f.on_disk("d"));
  f.source->remove("d");
  f.source->put_link("d", ".");
  f.scan();
  CHECK(f.row("l").state == state::refused);
  CHECK_FALSE(f.on_destination("l"));
  f.replicate();
  CHECK_FALSE(f.on_destination("l"));
}

TEST_CASE("a link that stood on the disk before is left there, and refused all the same", "[links]") {
  links_fixture f;
  stdfs::create_directories(f.on_disk("day"));
  stdfs::create_symlink("/etc/shadow", f.on_disk("day/shadow"));
  f.scan();
  f.scan();
  CHECK(f.row("day/shadow").state == state::refused);
  CHECK(f.row("day/shadow").local);
  CHECK(f.on_destination("day/shadow"));
}

TEST_CASE("a refused link is taken over by its own name alone", "[links]") {
  links_fixture f;
  f.scan();
  CHECK(f.resolve("day", keep::source).files == 0);
  CHECK(f.resolve("", keep::source).link_accepted == false);
  CHECK(f.of(state::refused) == 4);
  const auto not_so = f.resolve("day/shadow", keep::destination);
  REQUIRE(not_so.reasons.size() == 1);
  CHECK_THAT(not_so.reasons[0], contains_text("--keep source"));
  CHECK(f.resolve("day/shadow", keep::source).link_accepted);
  CHECK(f.of(state::refused) == 3);
  f.replicate();
  CHECK(stdfs::read_symlink(f.on_disk("day/shadow")) == "/etc/shadow");
  f.scan();
  CHECK(f.row("day/shadow").state == state::common);
  CHECK(f.on_destination("day/shadow"));
}

TEST_CASE("what is skipped of refused links is accepted, and still not on the disk", "[links]") {
  links_fixture f;
  f.scan();
  const auto skipped = remote::skip_below(f.m.index(), f.m.readers(), "", {});
  CHECK(skipped.files >= 4);
  CHECK(f.of(state::refused) == 0);
  f.replicate();
  f.scan();
  CHECK(f.of(state::refused) == 0);
  for (const char* path : {"day/shadow", "day/climbs", "round"}) CHECK_FALSE(f.on_destination(path));
}

TEST_CASE("a way through what is not there yet is refused where it climbs", "[links]") {
  links_fixture f;
  f.source->put_link("day/late", "../absent/../../x");
  f.scan();
  CHECK(f.row("day/late").state == state::refused);
  f.source->put_directory("absent/x");
  f.scan();
  CHECK(f.row("day/late").state == state::refused);  // out of the archive, once `absent` is a directory
  f.source->put_link("day/late", "../absent/../day/1.jpg");
  f.scan();
  CHECK(f.row("day/late").state == state::missing);
}

}  // namespace
}  // namespace ferryfs::test
