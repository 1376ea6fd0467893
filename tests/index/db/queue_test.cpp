// The queue of replication, which is a query.
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using strings = std::vector<std::string>;

struct queue_fixture : index_fixture {
  inode gap(const std::string& name, std::int32_t day, state s = state::missing, std::int64_t retry_at = 0) {
    entry e;
    e.parent = root_inode, e.name = name, e.day = day, e.state = s, e.source = file_side(1), e.retry_at = retry_at;
    return insert(e);
  }
  strings failures(std::int64_t now, int limit = 100) {
    strings found;
    readers.borrow()->failures(now, limit, [&](entry&& e) { found.push_back(e.name); });
    return found;
  }
};

// Reads the queue page by page, as the replicator does.
strings drain(index::readers& readers, int page, const std::function<void(const entry&)>& each = {}) {
  strings found;
  std::int32_t day = 99999999;
  inode ino = 0;
  for (bool more = true; more;) {
    std::vector<entry> gaps;
    readers.borrow()->gaps(day, ino, page, [&](entry&& e) { gaps.push_back(std::move(e)); });
    more = !gaps.empty();
    for (const auto& e : gaps) {
      found.push_back(e.name), day = e.day, ino = e.ino;
      if (each) each(e);
    }
  }
  return found;
}

TEST_CASE("gaps come newest day first, and within a day in the order in which they were found") {
  queue_fixture f;
  f.gap("b 14", 20130714), f.gap("z 15", 20130715), f.gap("a 15", 20130715), f.gap("x 70", 19700101),
      f.gap("c 16", 20130716);
  const strings expected{"c 16", "z 15", "a 15", "b 14", "x 70"};
  for (const int page : {1, 2, 3, 100}) CHECK(drain(f.readers, page) == expected);
}

TEST_CASE("the queue holds what is missing, and nothing that is here, decided or failed") {
  queue_fixture f;
  for (const state s : all_states) f.gap(std::string(name_of(s)), 20130715, s, s == state::failed ? 1 : 0);
  CHECK(drain(f.readers, 10) == strings{"missing"});
  CHECK(f.failures(1) == strings{"failed"});
}

TEST_CASE("the queue goes on where it was while gaps before and behind it are filled") {
  queue_fixture f;
  for (int i = 0; i < 100; ++i) f.gap(fmt::format("{:03}", i), 20130700 + i / 10);
  const auto seen =
      drain(f.readers, 7, [&](const entry& e) { f.edit(e.ino, [](entry& filled) { filled.state = state::common; }); });
  CHECK(seen.size() == 100);
  CHECK(seen.front() == "090");
  CHECK(seen.back() == "009");
  CHECK(drain(f.readers, 7).empty());
}

TEST_CASE("a gap that comes for a newer day is met when the queue is read again, not in its midst") {
  queue_fixture f;
  f.gap("a", 20130714), f.gap("b", 20130713);
  bool once = false;
  const auto seen = drain(f.readers, 1, [&](const entry&) {
    if (!std::exchange(once, true)) f.gap("newer", 20130716), f.gap("older", 20130712);
  });
  CHECK(seen == strings{"a", "b", "older"});
  CHECK(drain(f.readers, 1).front() == "newer");
}

TEST_CASE("a failed picture comes again when its time has come, the longest overdue first") {
  queue_fixture f;
  f.gap("later", 20130716, state::failed, 500);
  f.gap("soon", 20130715, state::failed, 300);
  f.gap("now", 20130714, state::failed, 200);
  CHECK(f.failures(199).empty());
  CHECK(f.failures(200) == strings{"now"});
  CHECK(f.failures(1000) == strings{"now", "soon", "later"});
  CHECK(f.failures(1000, 2) == strings{"now", "soon"});
}

}  // namespace
}  // namespace ferryfs::test
