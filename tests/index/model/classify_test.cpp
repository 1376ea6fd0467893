#include "index/model/entry.hpp"

#include <set>

#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

entry row(std::optional<file_facts> source, std::optional<file_facts> local, state s = state::missing,
          bool fetched = false) {
  entry e;
  e.source = source, e.local = local, e.state = s, e.fetched = fetched;
  return e;
}

const std::vector<file_facts> kinds{file_side(10), directory_side(), link_side()};

TEST_CASE("what is only here is new, whatever was decided before") {
  for (const state before : all_states)
    for (const file_facts& s : kinds)
      for (const bool fetched : {false, true}) CHECK(classify(row({}, s, before, fetched)) == state::added);
}

TEST_CASE("what is only on the source is a gap, and stays what was decided of it") {
  for (const file_facts& s : kinds) {
    for (const state undecided : {state::missing, state::common, state::added, state::conflict})
      CHECK(classify(row(s, {}, undecided)) == state::missing);
    for (const state decided : {state::deleted, state::skipped, state::failed})
      CHECK(classify(row(s, {}, decided)) == decided);
  }
}

TEST_CASE("what stands on both sides with the same size is common, whatever its time") {
  for (const state before : all_states) {
    CHECK(classify(row(file_side(10), file_side(10), before)) == state::common);
    CHECK(classify(row(file_side(10, 1000), file_side(10, 2000), before)) == state::common);
    CHECK(classify(row(file_side(0), file_side(0), before)) == state::common);
    if (before != state::refused) CHECK(classify(row(link_side(6), link_side(6), before)) == state::common);
  }
}

TEST_CASE("what stands on both sides with another size is a conflict, whatever was decided before") {
  for (const state before : all_states) {
    CHECK(classify(row(file_side(10), file_side(11), before)) == state::conflict);
    CHECK(classify(row(link_side(6), link_side(7), before)) == state::conflict);
  }
}

TEST_CASE("directories are common whatever size and time they have") {
  file_facts other = directory_side(5);
  other.size = 1, other.mode = S_IFDIR | 0700;
  for (const state before : all_states) CHECK(classify(row(directory_side(), other, before)) == state::common);
}

TEST_CASE("a file, a directory and a link of one name are a conflict") {
  for (const file_facts& source : kinds)
    for (const file_facts& local : kinds)
      for (const state before : all_states)
        for (const bool fetched : {false, true})
          if ((source.mode & S_IFMT) != (local.mode & S_IFMT))
            CHECK(classify(row(source, local, before, fetched)) == state::conflict);
}

TEST_CASE("a fetched copy that is older than the source is a gap, never a conflict") {
  const auto of = [](const file_facts& source, const file_facts& local, state before) {
    return classify(row(source, local, before, true));
  };
  for (const state before : {state::missing, state::common, state::added, state::conflict}) {
    CHECK(of(file_side(10), file_side(11), before) == state::missing);
    CHECK(of(file_side(10, 2000), file_side(10, 1000), before) == state::missing);
    CHECK(of(file_side(10, 1000), file_side(10, 1000), before) == state::common);
  }
  for (const state decided : {state::deleted, state::skipped, state::failed})
    CHECK(of(file_side(10), file_side(11), decided) == decided);
}

TEST_CASE("parts of a second, which the source does not know, make no copy outdated") {
  file_facts local = file_side(10);
  local.mtime += second - 1;
  CHECK(classify(row(file_side(10), local, state::missing, true)) == state::common);
  local.mtime += 1;
  CHECK(classify(row(file_side(10), local, state::missing, true)) == state::missing);
}

TEST_CASE("the view shows what is here, and the source's side of an outdated copy") {
  const file_facts old = file_side(11), now = file_side(10);
  CHECK(row(now, {}).shown() == now);
  CHECK(row({}, old, state::added).shown() == old);
  CHECK(row(now, old, state::conflict).shown() == old);
  for (const state gap : {state::missing, state::failed, state::skipped})
    CHECK(row(now, old, gap, true).shown() == now);
}

TEST_CASE("a link stays refused while it is one, and nothing else is refused") {
  for (const std::optional<file_facts>& local : {std::optional<file_facts>{}, std::optional(link_side(6))})
    CHECK(classify(row(link_side(6), local, state::refused)) == state::refused);
  CHECK(classify(row(file_side(6), {}, state::refused)) == state::missing);
  CHECK(classify(row(directory_side(), {}, state::refused)) == state::missing);
  CHECK(classify(row(link_side(6), file_side(6), state::refused)) == state::conflict);
}

TEST_CASE("each state is either here, or to be fetched, or deleted, or refused") {
  for (const state s : all_states) {
    const entry e = row(file_side(1), file_side(1), s);
    CHECK(e.is_local() + e.is_gap() + (s == state::deleted) + (s == state::refused) == 1);
  }
  std::set<std::string_view> words;
  for (const state s : all_states) words.insert(name_of(s));
  CHECK(words ==
        std::set<std::string_view>{"common", "missing", "new", "conflict", "deleted", "skipped", "failed", "refused"});
}

}  // namespace
}  // namespace ferryfs::test
