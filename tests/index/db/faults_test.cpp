// A failed write, sync or open of SQLite's ends the job at work with one line; nothing that was synced before is lost,
// and the index works on once the cause is gone.
#include <sqlite3.h>

#include "index/base/error.hpp"
#include "tests/catch.hpp"
#include "tests/index/db/index_vfs.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

std::string name_of(unsigned n) { return "picture-" + std::to_string(n); }

}  // namespace

TEST_CASE(
    "the n-th write or sync of the index fails, for each n: the job tells it, nothing is lost, the next one works") {
  const auto kind = GENERATE(index_call::write, index_call::sync);
  const int code = GENERATE(SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC);
  CAPTURE(static_cast<int>(kind), code);
  unsigned failures = 0;
  index_vfs disk;
  index_fixture f;
  f.insert(root_inode, "before", file_side(1));
  f.writer.sync();
  for (unsigned n = 1; n < 60; ++n) {
    CAPTURE(n);
    disk.fail(kind, n, code);
    std::string reported;
    try {
      f.insert(root_inode, name_of(n), file_side(n));
      f.writer.sync();
    } catch (const std::exception& e) {
      reported = e.what();
    }
    const bool failed = disk.has_failed();
    disk.heal();
    // A failed sync may be told by the next one; what was told is one line.
    if (!reported.empty()) CHECK(reported.find('\n') == std::string::npos);
    if (!reported.empty()) CHECK(failed);
    failures += reported.empty() ? 0 : 1;
    f.insert(root_inode, name_of(n) + "-after", file_side(n));
    CHECK(f.row("before").source->size == 1);
    CHECK(f.row(name_of(n) + "-after").source->size == n);
    if (!failed) break;
  }
  CHECK(failures > 0);
}

TEST_CASE("a power cut takes from the index what was not synced, and no more") {
  index_vfs disk;
  temp_dir dir{"index"};
  const std::string path = (dir / "index.db").string();
  {
    index::writer writer{path};
    entry e;
    e.parent = root_inode, e.name = "synced", e.source = file_side(1), e.day = 20130715, e.state = classify(e);
    writer.run([&](index::transaction& t) { t.insert(e); });
    writer.sync();
    disk.cut_power();
    e.name = "not synced";
    writer.run([&](index::transaction& t) { t.insert(e); });
  }
  disk.restore();
  index::writer writer{path};
  index::readers readers{path};
  const auto reader = readers.borrow();
  CHECK(reader->at("synced"));
  CHECK_FALSE(reader->at("not synced"));
}

TEST_CASE("an index that cannot be opened is told of in one line with a remedy") {
  index_vfs disk;
  temp_dir dir{"index"};
  const std::string path = (dir / "index.db").string();
  { const index::writer writer{path}; }
  disk.fail(index_call::open, 1, SQLITE_CANTOPEN, true);
  try {
    const index::writer writer{path};
    FAIL("it was opened");
  } catch (const error& e) {
    CHECK_THAT(e.what(), contains_text("cannot open the index; check"));
  }
  disk.heal();
  CHECK_NOTHROW(index::writer{path});
}

}  // namespace ferryfs::test
