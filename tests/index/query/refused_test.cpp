// Names of the source that can't stand here.
#include "index/query/refused.hpp"
#include "index/update/refused_names.hpp"

#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using namespace std::string_literals;
using index::refused_name;
using strings = std::vector<std::string>;

const std::string long_name(300, 'x');

struct refused_fixture : index_fixture {
  inode day = insert(root_inode, "20260131", directory_side());

  void refuse(inode directory, const std::vector<refused_name>& names, bool whole = true) {
    writer.run([&](index::transaction& t) { index::apply_refused_names(t, directory, names, whole); });
  }
  std::uint64_t skip(std::string_view which) {
    const auto reader = readers.borrow();
    return writer.run([&](index::transaction& t) { return index::skip_refused(t, *reader, which); });
  }
  std::int64_t count() { return readers.borrow()->refused_names().files; }
  strings list(std::string_view below = "") {
    strings paths;
    index::list_refused(*readers.borrow(), below, [&](std::string_view where, std::uint64_t) {
      paths.emplace_back(where);
      return true;
    });
    return paths;
  }
};

}  // namespace

TEST_CASE("names that can't stand here are kept by their directory, as bytes and with the reason") {
  refused_fixture f;
  f.list_source({named("20260131", directory_side())});
  f.refuse(f.day, {{"a/b", "a name with a '/' in it"}, {"a\0b"s, "zero"}, {"", "empty"}, {long_name, "long"}});
  f.refuse(root_inode, {{"..\xff/"s, "a name with a '/' in it"}});
  CHECK(f.count() == 5);
  CHECK(f.list() == strings{"..\xff/", "20260131/", "20260131/a\0b"s, "20260131/a/b", "20260131/" + long_name});
  CHECK(f.list("20260131").size() == 4);
  CHECK(f.list("2026").empty());
}

TEST_CASE("each whole listing of a directory says which are left, and a broken one adds to them") {
  refused_fixture f;
  f.refuse(f.day, {{"a/b", ""}, {"c/d", ""}});
  f.refuse(f.day, {{"e/f", ""}}, false);
  CHECK(f.count() == 3);
  f.refuse(f.day, {{"c/d", ""}});
  CHECK(f.list() == strings{"20260131/c/d"});
  f.refuse(f.day, {});
  CHECK(f.count() == 0);
}

TEST_CASE("a refused name that was accepted stays so, and another one counts") {
  refused_fixture f;
  f.refuse(f.day, {{long_name, ""}, {"a\nb/c", ""}});
  SECTION("by its path") {
    CHECK(f.skip("20260131/" + long_name) == 1);
    f.refuse(f.day, {{long_name, ""}, {"a\nb/c", ""}});
    CHECK(f.list() == strings{"20260131/a\nb/c"});
    CHECK(f.skip("20260131/a\\x0ab/c") == 1);  // as messages show it
    CHECK(f.count() == 0);
  }
  SECTION("with its directory") {
    CHECK(f.skip("20260131") == 2);
    CHECK(f.count() == 0);
  }
  SECTION("not by another's") { CHECK(f.skip("20260131/x") == 0); }
}

TEST_CASE("a directory that leaves the source takes its refused names with it") {
  refused_fixture f;
  f.list_source({named("20260131", directory_side())});
  f.refuse(f.day, {{"a/b", ""}});
  CHECK(f.count() == 1);
  f.list_source({});
  CHECK(f.count() == 0);
}

}  // namespace ferryfs::test
