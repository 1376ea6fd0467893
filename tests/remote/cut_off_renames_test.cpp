// A rename that a crash cut off between the disk and the index is whole after the next start.
#include "remote/scan/cut_off_renames.hpp"

#include <sys/stat.h>

#include "remote/migration.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

namespace stdfs = std::filesystem;

struct renames_fixture {
  temp_dir disk{"renames"};
  taken_destination where{disk.path()};
  index::writer writer{where.index_path()};
  index::readers readers{where.index_path()};

  inode put(inode parent, const std::string& name, side s) {
    entry e;
    e.parent = parent, e.name = name, e.source = s, e.local = s, e.state = state::common;
    return writer.run([&](index::transaction& t) { return t.insert(e); });
  }
  std::uint64_t file(const char* path) const {
    struct stat st {};
    return ::stat((disk / path).c_str(), &st) == 0 ? st.st_ino : 0;
  }
  void intend(const index::rename_intent& r) {
    writer.run([&](index::transaction& t) { t.intend_rename(r); });
  }
  std::optional<entry> at(const char* path) { return readers.borrow()->at(path); }
  bool none_left() {
    return writer.run([](index::transaction& t) { return t.renaming().empty(); });
  }
};

TEST_CASE("a directory that has its new name on the disk alone gets it in the index, with all that is below",
          "[renames]") {
  renames_fixture f;
  stdfs::create_directory(f.disk / "old");
  const inode day = f.put(root_inode, "old", {S_IFDIR | 0755, 4096, second});
  entry gap;
  gap.parent = day, gap.name = "1.jpg", gap.source = side{S_IFREG | 0644, 5, second};
  f.writer.run([&](index::transaction& t) { t.insert(gap); });
  f.intend({day, root_inode, "new", 0, f.file("old")});
  stdfs::rename(f.disk / "old", f.disk / "new");
  remote::settle_renames(f.where, f.writer);
  CHECK(f.at("new/1.jpg"));
  CHECK_FALSE(f.at("old"));
  CHECK(f.readers.borrow()->source_path(f.at("new/1.jpg")->ino) == "old/1.jpg");
  CHECK(f.none_left());
}

TEST_CASE("also where nothing is scanned: whoever opens the archive finds it by its new name", "[renames]") {
  renames_fixture f;
  write_file(f.disk / "1.jpg", "one");
  const inode one = f.put(root_inode, "1.jpg", {S_IFREG | 0644, 3, second});
  f.intend({one, root_inode, "2.jpg", 0, f.file("1.jpg")});
  stdfs::rename(f.disk / "1.jpg", f.disk / "2.jpg");
  remote::migration opened{{}, f.where, std::make_unique<fake_archive>()};
  CHECK(f.at("2.jpg"));
  CHECK_FALSE(f.at("1.jpg"));
  CHECK(f.none_left());
  opened.stop();
}

TEST_CASE("a rename that the disk has not done is forgotten", "[renames]") {
  renames_fixture f;
  write_file(f.disk / "1.jpg", "one");
  write_file(f.disk / "2.jpg", "two");
  const inode one = f.put(root_inode, "1.jpg", {S_IFREG | 0644, 3, second});
  f.put(root_inode, "2.jpg", {S_IFREG | 0644, 3, second});
  f.intend({one, root_inode, "2.jpg", 0, f.file("1.jpg")});
  remote::settle_renames(f.where, f.writer);
  CHECK(f.at("1.jpg")->ino == one);
  CHECK(f.at("2.jpg")->ino != one);
  CHECK(f.none_left());
}

TEST_CASE("two names that were swapped on the disk alone are swapped in the index", "[renames]") {
  renames_fixture f;
  write_file(f.disk / "1.jpg", "one");
  write_file(f.disk / "2.jpg", "two");
  const inode one = f.put(root_inode, "1.jpg", {S_IFREG | 0644, 3, second});
  const inode two = f.put(root_inode, "2.jpg", {S_IFREG | 0644, 3, second});
  f.intend({one, root_inode, "2.jpg", two, f.file("1.jpg")});
  stdfs::rename(f.disk / "2.jpg", f.disk / "swap");
  stdfs::rename(f.disk / "1.jpg", f.disk / "2.jpg");
  stdfs::rename(f.disk / "swap", f.disk / "1.jpg");
  remote::settle_renames(f.where, f.writer);
  CHECK(f.at("1.jpg")->ino == two);
  CHECK(f.at("2.jpg")->ino == one);
}

std::uint64_t identity(const renames_fixture& f, const char* path) {
  struct stat st {};
  REQUIRE(::lstat((f.disk / path).c_str(), &st) == 0);
  return remote::identity_of(st);
}

TEST_CASE("a removal that was cut off is finished, before or after the disk had done it", "[renames]") {
  renames_fixture f;
  write_file(f.disk / "1.jpg", "one");
  write_file(f.disk / "2.jpg", "two");
  const inode one = f.put(root_inode, "1.jpg", {S_IFREG | 0644, 3, second});
  const inode two = f.put(root_inode, "2.jpg", {S_IFREG | 0644, 3, second});
  f.intend(index::rename_intent::removal(one, root_inode, "1.jpg", identity(f, "1.jpg")));
  f.intend(index::rename_intent::removal(two, root_inode, "2.jpg", identity(f, "2.jpg")));
  stdfs::remove(f.disk / "2.jpg");
  remote::settle_renames(f.where, f.writer);
  CHECK_FALSE(stdfs::exists(f.disk / "1.jpg"));
  for (const inode removed : {one, two}) CHECK(f.readers.borrow()->by_inode(removed)->state == state::deleted);
  CHECK(f.none_left());
}

TEST_CASE("a file that came to stand under the name of a removal that was cut off is left alone", "[renames]") {
  renames_fixture f;
  write_file(f.disk / "1.jpg", "one");
  const inode one = f.put(root_inode, "1.jpg", {S_IFREG | 0644, 3, second});
  f.intend(index::rename_intent::removal(one, root_inode, "1.jpg", identity(f, "1.jpg")));
  stdfs::remove(f.disk / "1.jpg");
  write_file(f.disk / "1.jpg", "another");
  remote::settle_renames(f.where, f.writer);
  CHECK(read_file(f.disk / "1.jpg") == "another");
}

TEST_CASE("a missing picture that was renamed over a local one has the name, and the other's file is gone",
          "[renames]") {
  renames_fixture f;
  write_file(f.disk / "2.jpg", "two");
  entry gap;
  gap.parent = root_inode, gap.name = "1.jpg", gap.source = side{S_IFREG | 0644, 5, second};
  const inode one = f.writer.run([&](index::transaction& t) { return t.insert(gap); });
  f.put(root_inode, "2.jpg", {S_IFREG | 0644, 3, second});
  f.intend(index::rename_intent::removal(one, root_inode, "2.jpg", identity(f, "2.jpg")));
  remote::settle_renames(f.where, f.writer);
  CHECK(f.at("2.jpg")->ino == one);
  CHECK_FALSE(stdfs::exists(f.disk / "2.jpg"));
}

}  // namespace
}  // namespace ferryfs::test
