#include "index/db/schema.hpp"

#include <filesystem>
#include <random>

#include "index/base/error.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

struct index_file {
  temp_dir dir{"index"};
  std::string path = (dir / "index.db").string();
  index_file() { write(); }
  void write() {
    index::writer writer{path};
    writer.run([](index::transaction& t) { t.put_meta("key", "value"); });
  }
  void set_version(int version) {
    SQLite::Database database{path, SQLite::OPEN_READWRITE};
    database.exec(fmt::format("PRAGMA user_version = {}", version));
  }
};

template <typename Open>
error refusal(Open&& open) {
  try {
    open();
  } catch (const error& e) {
    return e;
  }
  throw std::logic_error("it was not refused");
}

// One line that names the file and what to do.
void check_refusal(const error& e, const std::string& path, const std::string& words) {
  CHECK(e.code() == exit_code::local);
  CHECK_THAT(e.what(), contains_text(path));
  CHECK_THAT(e.what(), contains_text(words));
  CHECK_THAT(e.what(), contains_text("; "));
  CHECK_THAT(e.what(), !contains_text("\n"));
}

TEST_CASE("a new index holds the root and nothing else, and is of this version") {
  index_fixture f;
  const entry root = f.row("");
  CHECK(root.ino == root_inode);
  CHECK(root.is_directory());
  CHECK(f.names_in(root_inode).empty());
  CHECK(f.readers.borrow()->totals().destination() == index::total{});
  SQLite::Database database{f.path, SQLite::OPEN_READONLY};
  CHECK(database.execAndGet("PRAGMA user_version").getInt() == index::schema_version);
  CHECK(database.execAndGet("PRAGMA journal_mode").getString() == "wal");
}

TEST_CASE("an index that is opened again is as it was") {
  index_file f;
  const auto before = read_file(f.path);
  { const index::writer again{f.path}; }
  CHECK(read_file(f.path) == before);
  CHECK_FALSE(std::filesystem::exists(f.path + "-wal"));
  CHECK(index::reader{f.path}.meta("key") == "value");
}

TEST_CASE("an index of a newer version is refused and not touched") {
  index_file f;
  f.set_version(index::schema_version + 1);
  const auto before = read_file(f.path);
  check_refusal(refusal([&] { const index::writer w{f.path}; }), f.path, "newer");
  check_refusal(refusal([&] { const index::reader r{f.path}; }), f.path, "newer");
  CHECK(read_file(f.path) == before);
}

TEST_CASE("an index of an older version is not read before it was brought up") {
  const temp_dir dir;
  const std::string path = (dir / "index.db").string();
  { SQLite::Database database{path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}; }
  check_refusal(refusal([&] { const index::reader r{path}; }), path, "older version");
  { const index::writer w{path}; }
  CHECK(index::reader{path}.at(""));
}

TEST_CASE("a file that is no database is refused, and stays") {
  const temp_dir dir;
  const std::string path = (dir / "index.db").string();
  const std::string text = "a letter to grandmother, " + std::string(5000, 'x');
  write_file(path, text);
  check_refusal(refusal([&] { const index::writer w{path}; }), path, "damaged");
  check_refusal(refusal([&] { const index::reader r{path}; }), path, "damaged");
  CHECK(read_file(path) == text);
}

TEST_CASE("a damaged index is refused") {
  index_file f;
  std::string bytes = read_file(f.path);
  std::mt19937 random{7};
  SECTION("its first page") {
    for (std::size_t i = 16; i < 4096; ++i) bytes[i] = static_cast<char>(random());
  }
  SECTION("all but its first page") {
    REQUIRE(bytes.size() > 8192);
    for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(random());
  }
  SECTION("its end") { bytes.resize(4096); }
  write_file(f.path, bytes);
  check_refusal(refusal([&] { const index::writer w{f.path}; }), f.path, "damaged");
}

TEST_CASE("an index that cannot be opened is refused with its path") {
  const temp_dir dir;
  const std::string absent = (dir / "absent.db").string();
  check_refusal(refusal([&] { const index::reader r{absent}; }), absent, "cannot open");
  check_refusal(refusal([&] { const index::writer w{absent + "/index.db"}; }), absent, "cannot open");
  std::filesystem::create_directory(dir / "directory.db");
  const std::string directory = (dir / "directory.db").string();
  check_refusal(refusal([&] { const index::writer w{directory}; }), directory, "cannot open");
  CHECK_FALSE(std::filesystem::exists(absent));
}

TEST_CASE("an index below a symbolic link is opened by the path that was given") {
  index_file f;
  std::filesystem::create_directory_symlink(f.dir.path(), f.dir / "link");
  CHECK(index::reader{(f.dir / "link/index.db").string()}.meta("key") == "value");
}

}  // namespace
}  // namespace ferryfs::test
