// A rename that a crash cut off between the disk and the index is whole after the next start.
#include "remote/scan/cut_off_renames.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "index/change_here.hpp"
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
  // But those that wait for the disk to be synced.
  bool none_left() {
    return writer.run([](index::transaction& t) {
      const auto all = t.renaming();
      return std::all_of(all.begin(), all.end(), [](const auto& r) { return r.done; });
    });
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
  const auto identity = remote::identity_of(AT_FDCWD, (f.disk / path).c_str());
  REQUIRE(identity != 0);
  return identity;
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

// The disk has lost what the index holds as done.
TEST_CASE("a removal that a power cut took from the disk alone is made again", "[renames]") {
  renames_fixture f;
  write_file(f.disk / "1.jpg", "one");
  stdfs::create_directories(f.disk / "day");
  const inode one = f.put(root_inode, "1.jpg", {S_IFREG | 0644, 3, second});
  const inode day = f.put(root_inode, "day", {S_IFDIR | 0755, 4096, second});
  f.intend(index::rename_intent::removal(one, root_inode, "1.jpg", identity(f, "1.jpg")));
  f.intend(index::rename_intent::removal(day, root_inode, "day", identity(f, "day")));
  f.writer.run([&](index::transaction& t) { index::record_removed(t, one, 1), index::record_removed(t, day, 1); });
  stdfs::permissions(f.disk / "1.jpg", stdfs::perms::owner_read);  // another ctime
  remote::settle_renames(f.where, f.writer);
  CHECK_FALSE(stdfs::exists(f.disk / "1.jpg"));
  CHECK_FALSE(stdfs::exists(f.disk / "day"));
  CHECK(f.readers.borrow()->by_inode(one)->state == state::deleted);
}

TEST_CASE("a file that was made under the name of a removed one is left alone", "[renames]") {
  renames_fixture f;
  write_file(f.disk / "1.jpg", "one");
  const inode one = f.put(root_inode, "1.jpg", {S_IFREG | 0644, 3, second});
  f.intend(index::rename_intent::removal(one, root_inode, "1.jpg", identity(f, "1.jpg")));
  f.writer.run([&](index::transaction& t) { index::record_removed(t, one, 1); });
  stdfs::remove(f.disk / "1.jpg");
  write_file(f.disk / "1.jpg", "another");
  remote::settle_renames(f.where, f.writer);
  CHECK(read_file(f.disk / "1.jpg") == "another");
}

TEST_CASE("renames that a power cut took from the disk alone are made again, also below one another", "[renames]") {
  renames_fixture f;
  stdfs::create_directory(f.disk / "old");
  write_file(f.disk / "old" / "1.jpg", "one");
  write_file(f.disk / "old" / "2.jpg", "two");
  const side file{S_IFREG | 0644, 3, second};
  const inode day = f.put(root_inode, "old", {S_IFDIR | 0755, 4096, second});
  const inode one = f.put(day, "1.jpg", file), two = f.put(day, "2.jpg", file);
  const auto rename = [&](inode ino, inode to, const char* name, const char* at, inode exchanged = 0) {
    const auto e = *f.readers.borrow()->by_inode(ino);
    f.intend({ino, to, name, exchanged, identity(f, at), e.parent, e.name});
    f.writer.run([&](index::transaction& t) {
      exchanged == 0 ? index::record_renamed(t, ino, to, name, 1) : index::record_exchanged(t, ino, exchanged, 1);
    });
  };
  rename(one, day, "a.jpg", "old/1.jpg");
  rename(day, root_inode, "new", "old");
  rename(one, day, "2.jpg", "old/1.jpg", two);
  remote::settle_renames(f.where, f.writer);
  CHECK_FALSE(stdfs::exists(f.disk / "old"));
  CHECK(read_file(f.disk / "new" / "2.jpg") == "one");
  CHECK(read_file(f.disk / "new" / "a.jpg") == "two");
  CHECK(f.at("new/2.jpg")->ino == one);
}

}  // namespace
}  // namespace ferryfs::test
