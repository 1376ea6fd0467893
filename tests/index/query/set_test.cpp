// The sets as lists: every picture once, in the order of whole paths.
#include "index/query/set.hpp"

#include <algorithm>
#include <random>

#include "index/base/path.hpp"
#include "index/update/local_change.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

std::vector<std::string> paths(index_fixture& f, index::set s, std::string_view below = "") {
  std::vector<std::string> found;
  index::walk(*f.readers.borrow(), s, below, [&](const std::string& path, const entry&) {
    found.push_back(path);
    return true;
  });
  return found;
}

TEST_CASE("a set is listed in the order of its paths' bytes, as sort has them", "[set]") {
  index_fixture f;
  std::mt19937 random{7};
  const std::string bytes = "a-./0\xC3\n";
  std::vector<std::string> expected;
  const auto name = [&] {
    std::string n;
    while (!valid_name(n)) {
      n.clear();
      for (auto i = 1 + random() % 3; i > 0; --i) n += bytes[random() % bytes.size()];
    }
    return n;
  };
  std::vector<std::pair<inode, std::string>> directories{{root_inode, ""}};
  for (int i = 0; i < 400; ++i) {
    const auto [parent, path] = directories[random() % directories.size()];
    const std::string n = name();
    const bool directory = random() % 3 == 0;
    const inode ino = f.insert(parent, n, directory ? directory_side() : file_side(10));
    if (ino == 0) continue;
    if (directory)
      directories.emplace_back(ino, join(path, n));
    else
      expected.push_back(join(path, n));
  }
  std::sort(expected.begin(), expected.end());
  CHECK(paths(f, index::set::missing) == expected);
  CHECK(paths(f, index::set::source) == expected);
  CHECK(paths(f, index::set::added).empty());
}

TEST_CASE("each set holds its own pictures, and what was renamed counts on the source under its old name", "[set]") {
  index_fixture f;
  const inode day = f.insert(root_inode, "day", directory_side());
  f.insert(day, "common", file_side(1), file_side(1));
  const inode gone = f.insert(day, "gone", file_side(2));
  f.insert(day, "new", std::nullopt, file_side(3));
  f.insert(day, "other", file_side(4), file_side(5));
  f.insert(root_inode, "lies", file_side(6));
  f.writer.run([&](index::transaction& t) {
    index::apply_removal(t, gone, 1);
    index::apply_rename(t, day, root_inode, "night", 1);
  });
  using list = std::vector<std::string>;
  CHECK(paths(f, index::set::source) == list{"day/common", "day/gone", "day/other", "lies"});
  CHECK(paths(f, index::set::destination) == list{"night/common", "night/new", "night/other"});
  CHECK(paths(f, index::set::common) == list{"night/common"});
  CHECK(paths(f, index::set::missing) == list{"lies"});
  CHECK(paths(f, index::set::added) == list{"night/new"});
  CHECK(paths(f, index::set::conflict) == list{"night/other"});
  CHECK(paths(f, index::set::deleted) == list{"night/gone"});
  CHECK(paths(f, index::set::missing, "lies") == list{"lies"});
  CHECK(paths(f, index::set::missing, "night").empty());
}

TEST_CASE("what is deleted with its directory is listed as deleted", "[set]") {
  index_fixture f;
  const inode day = f.insert(root_inode, "day", directory_side());
  const inode one = f.insert(day, "1.jpg", file_side(1));
  f.writer.run([&](index::transaction& t) {
    index::apply_removal(t, one, 1);
    index::apply_removal(t, day, 1);
  });
  CHECK(paths(f, index::set::deleted) == std::vector<std::string>{"day/1.jpg"});
  CHECK(paths(f, index::set::missing).empty());
}

TEST_CASE("a set's word is the command line's", "[set]") {
  CHECK(index::set_named("new") == index::set::added);
  CHECK(index::name_of(index::set::failed) == "failed");
  CHECK(index::set_named("refused") == index::set::refused);
  CHECK(index::name_of(index::set::refused) == "refused");
  CHECK_FALSE(index::set_named("lost"));
}

}  // namespace
}  // namespace ferryfs::test
