// Lists: the order of whole paths whatever stands side by side, lines that stay one line, and counts by kind.
#include <algorithm>
#include <map>
#include <random>

#include "index/base/path.hpp"
#include "index/model/list_line.hpp"
#include "index/query/file_kinds.hpp"
#include "index/query/set.hpp"
#include "index/update/local_change.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using lines = std::vector<std::pair<std::string, std::uint64_t>>;

lines listed_in(index_fixture& f, index::set s) {
  lines found;
  index::list(*f.readers.borrow(), s, "", [&](std::string_view path, const index::listed_picture& p) {
    found.emplace_back(path, p.size);
    return true;
  });
  return found;
}

TEST_CASE("a directory of thousands is listed in order, with its subdirectories where their paths belong", "[set]") {
  index_fixture f;
  lines expected;
  f.writer.run([&](index::transaction& t) {
    const auto put = [&](inode parent, const std::string& name, bool directory, std::uint64_t size) {
      entry e;
      e.parent = parent, e.name = name, e.source = directory ? directory_side() : file_side(size);
      e.state = classify(e);
      return t.insert(e);
    };
    for (std::uint64_t i = 0; i < 3000; ++i) {
      const std::string name = std::to_string(10000 + i) + ".jpg";
      put(root_inode, name, false, i);
      expected.emplace_back(name, i);
    }
    // Each sorts before the other's '/', and they end far behind where their names stand.
    std::string chain = "10500";
    for (const char* more : {"", ".jp", "!", "-", "."}) {
      chain += more;
      const inode d = put(root_inode, chain, true, 0);
      put(d, "a", false, 7), put(d, "b", false, 8);
      expected.emplace_back(chain + "/a", 7), expected.emplace_back(chain + "/b", 8);
    }
  });
  std::sort(expected.begin(), expected.end());
  CHECK(listed_in(f, index::set::missing) == expected);
  CHECK(listed_in(f, index::set::source) == expected);
}

TEST_CASE("a directory that was renamed, and the new one under its name, are listed as one on the source", "[set]") {
  index_fixture f;
  const inode day = f.insert(root_inode, "day", directory_side());
  for (const char* name : {"a", "c"}) f.insert(day, name, file_side(1));
  f.writer.run([&](index::transaction& t) { index::apply_rename(t, day, root_inode, "night", 1); });
  const inode other = f.insert(root_inode, "day", directory_side());
  f.insert(other, "b", file_side(2));
  CHECK(listed_in(f, index::set::source) == lines{{"day/a", 1}, {"day/b", 2}, {"day/c", 1}});
}

TEST_CASE("the sets are what a walk over all rows finds, and add up to the counters", "[set]") {
  index_fixture f;
  std::mt19937 random{11};
  std::vector<std::pair<inode, std::string>> directories{{root_inode, ""}};
  std::map<state, lines> expected;
  std::map<index::file_kind, std::int64_t> kinds;
  const std::array<const char*, 4> ends{".jpg", ".JPEG", ".Cr2", ".txt"};
  for (int i = 0; i < 600; ++i) {
    const auto [parent, path] = directories[random() % directories.size()];
    entry e;
    e.parent = parent, e.name = std::to_string(random() % 90) + ends.at(random() % 4);
    const bool directory = random() % 8 == 0;
    if (random() % 5 != 0) e.source = directory ? directory_side() : file_side(random() % 100);
    if (!e.source || random() % 2 == 0) e.local = e.source ? *e.source : directory ? directory_side() : file_side(9);
    if (e.local && !directory && random() % 6 == 0) e.local->size += 1000;
    e.state = classify(e);
    if (e.state == state::missing && random() % 3 == 0) e.state = random() % 2 == 0 ? state::failed : state::skipped;
    const std::string name = join(path, e.name);
    const inode ino = f.insert(e);
    if (ino == 0) continue;
    if (directory) {
      directories.emplace_back(ino, name);
      continue;
    }
    expected[e.state].emplace_back(name, e.state == state::added ? e.local->size : e.source->size);
    ++kinds[index::file_kind_of(e.name)];
  }
  const auto reader = f.readers.borrow();
  const auto totals = reader->totals();
  for (const auto& [set, state] : {std::pair{index::set::common, state::common},
                                   {index::set::missing, state::missing},
                                   {index::set::added, state::added},
                                   {index::set::conflict, state::conflict},
                                   {index::set::skipped, state::skipped},
                                   {index::set::failed, state::failed}}) {
    INFO(index::name_of(set));
    std::sort(expected[state].begin(), expected[state].end());
    CHECK_FALSE(expected[state].empty());
    CHECK(listed_in(f, set) == expected[state]);
    CHECK(static_cast<std::size_t>(totals.of(state).files) == expected[state].size());
  }
  CHECK(static_cast<std::size_t>(totals.source().files) == listed_in(f, index::set::source).size());
  CHECK(static_cast<std::size_t>(totals.destination().files) == listed_in(f, index::set::destination).size());

  index::totals all;
  for (const auto k : index::all_file_kinds) {
    const auto of_kind = index::read_totals_by_kind(*reader).at(static_cast<std::size_t>(k));
    std::int64_t files = 0;
    for (std::size_t s = 0; s < all.files.size(); ++s)
      files += of_kind.files[s].files, all.files[s] += of_kind.files[s];
    INFO(index::name_of(k));
    CHECK(files == kinds[k]);
  }
  CHECK(all.files == totals.files);
}

TEST_CASE("a list ends when who reads it wants no more", "[set]") {
  index_fixture f;
  const inode day = f.insert(root_inode, "day", directory_side());
  for (const char* name : {"a", "b", "c"}) f.insert(day, name, file_side(1));
  int count = 0;
  index::list(*f.readers.borrow(), index::set::missing, "", [&](auto, const auto&) { return ++count < 2; });
  CHECK(count == 2);
}

TEST_CASE("a line of a list stays one line, and its path can be had again", "[list_line]") {
  for (const std::string path :
       {"day/a.jpg", "new\nline", "\\", "\\n", "\\\n", "\xff\xfe\"'<script>", " blank ", "\r"}) {
    INFO(printable(path));
    std::string text;
    index::append_line(text, 18446744073709551615U, path);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    text.pop_back();
    const auto line = index::parse_line(text);
    REQUIRE(line);
    CHECK(line->path == path);
    CHECK(line->size == 18446744073709551615U);
  }
  std::string text;
  index::append_line(text, 7, "a\nb\\c");
  CHECK(text == "7 a\\nb\\\\c\n");
  for (const char* wrong : {"", "7", "7 ", "x a", "-1 a", "7 a\\", "7 a\\x", "99999999999999999999 a"}) {
    INFO(wrong);
    CHECK_FALSE(index::parse_line(wrong));
  }
}

TEST_CASE("pictures are told apart by the end of their names", "[kinds]") {
  using index::file_kind;
  for (const auto& [name, kind] : {std::pair{"a.jpg", file_kind::jpg},
                                   {"a.JPG", file_kind::jpg},
                                   {".jpeg", file_kind::jpg},
                                   {"a.raw", file_kind::raw},
                                   {"a.b.NEF", file_kind::raw},
                                   {"a.dng", file_kind::raw},
                                   {"jpg", file_kind::other},
                                   {"a.jpg.tmp", file_kind::other},
                                   {"a.", file_kind::other},
                                   {"", file_kind::other},
                                   {"a.jpgx", file_kind::other}}) {
    INFO(name);
    CHECK(index::file_kind_of(name) == kind);
  }
}

}  // namespace
}  // namespace ferryfs::test
