// A rename that a crash cut off between the disk and the index is whole after the next start.
#include "remote/destination/rename_recovery.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "index/update/local_change.hpp"
#include "remote/engine/migration/migration.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

namespace stdfs = std::filesystem;

struct renames_fixture {
  temp_dir disk{"renames"};
  taken_destination where{disk.path()};
  index::writer writer{where.index_path()};
  index::readers readers{where.index_path()};

  inode put(inode parent, const std::string& name, file_facts s) {
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
  gap.parent = day, gap.name = "1.jpg", gap.source = file_facts{S_IFREG | 0644, 5, second};
  f.writer.run([&](index::transaction& t) { t.insert(gap); });
  f.intend({day, root_inode, "new", 0, f.file("old")});
  stdfs::rename(f.disk / "old", f.disk / "new");
  remote::recover_renames(f.where, f.writer);
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
  remote::recover_renames(f.where, f.writer);
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
  remote::recover_renames(f.where, f.writer);
  CHECK(f.at("1.jpg")->ino == two);
  CHECK(f.at("2.jpg")->ino == one);
}

std::uint64_t identity(const renames_fixture& f, const char* path) {
  const auto identity = remote::identity_of(AT_FDCWD, (f.disk / path).c_str(), remote::identity::exact);
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
  remote::recover_renames(f.where, f.writer);
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
  remote::recover_renames(f.where, f.writer);
  CHECK(read_file(f.disk / "1.jpg") == "another");
}

TEST_CASE("a missing picture that was renamed over a local one has the name, and the other's file is gone",
          "[renames]") {
  renames_fixture f;
  write_file(f.disk / "2.jpg", "two");
  entry gap;
  gap.parent = root_inode, gap.name = "1.jpg", gap.source = file_facts{S_IFREG | 0644, 5, second};
  const inode one = f.writer.run([&](index::transaction& t) { return t.insert(gap); });
  f.put(root_inode, "2.jpg", {S_IFREG | 0644, 3, second});
  f.intend(index::rename_intent::removal(one, root_inode, "2.jpg", identity(f, "2.jpg")));
  remote::recover_renames(f.where, f.writer);
  CHECK(f.at("2.jpg")->ino == one);
  CHECK_FALSE(stdfs::exists(f.disk / "2.jpg"));
}

// Changes that the index holds as done, and the disk may have lost: each case puts the disk back by hand.
struct done_fixture : renames_fixture {
  const file_facts file_side{S_IFREG | 0644, 3, second}, directory_side{S_IFDIR | 0755, 4096, second};

  std::uint64_t stands(const std::string& path) const {
    return remote::identity_of(AT_FDCWD, (disk / path).c_str(), remote::identity::exact);
  }
  std::map<inode, std::uint64_t> files;  // of what was renamed, as the disk had it at first
  // As the mount does it, but for the disk's part.
  void rename(const char* from, const char* to, inode exchanged = 0) {
    const auto e = *at(from);
    const std::string path = to;
    const auto slash = path.rfind('/');
    const inode parent = slash == std::string::npos ? root_inode : at(path.substr(0, slash).c_str())->ino;
    const auto name = path.substr(slash + 1);
    index::rename_intent r{e.ino, parent, name, exchanged, files.try_emplace(e.ino, stands(from)).first->second};
    r.old_parent = e.parent, r.old_path = from, r.new_path = to, r.replaced = stands(to);
    intend(r);
    writer.run([&](index::transaction& t) {
      exchanged == 0 ? index::apply_rename(t, e.ino, parent, name, 1) : index::apply_exchange(t, e.ino, exchanged, 1);
    });
  }
  void remove(const char* path) {
    const auto e = *at(path);
    intend(index::rename_intent::removal(e.ino, e.parent, e.name, stands(path), path));
    writer.run([&](index::transaction& t) { index::apply_removal(t, e.ino, 1); });
  }
  void recover() { remote::recover_renames(where, writer); }
  std::string content(const char* path) const { return stdfs::exists(disk / path) ? read_file(disk / path) : "(none)"; }
};

TEST_CASE("a removal that a power cut took from the disk alone is made again", "[renames]") {
  done_fixture f;
  write_file(f.disk / "1.jpg", "one");
  stdfs::create_directories(f.disk / "day");
  const inode one = f.put(root_inode, "1.jpg", f.file_side);
  f.put(root_inode, "day", f.directory_side);
  f.remove("1.jpg"), f.remove("day");
  stdfs::permissions(f.disk / "1.jpg", stdfs::perms::owner_read);  // another ctime
  f.recover();
  CHECK_FALSE(stdfs::exists(f.disk / "1.jpg"));
  CHECK_FALSE(stdfs::exists(f.disk / "day"));
  CHECK(f.readers.borrow()->by_inode(one)->state == state::deleted);
}

TEST_CASE("what was made under the name of a removed one is left alone", "[renames]") {
  done_fixture f;
  write_file(f.disk / "1.jpg", "one");
  stdfs::create_directories(f.disk / "day");
  f.put(root_inode, "1.jpg", f.file_side), f.put(root_inode, "day", f.directory_side);
  f.remove("1.jpg"), f.remove("day");
  stdfs::remove(f.disk / "1.jpg"), stdfs::remove(f.disk / "day");
  write_file(f.disk / "1.jpg", "another");
  stdfs::create_directories(f.disk / "day");
  f.recover();
  CHECK(f.content("1.jpg") == "another");
  CHECK(stdfs::exists(f.disk / "day"));
}

TEST_CASE("renames that a power cut took from the disk alone are made again, also below one another", "[renames]") {
  done_fixture f;
  stdfs::create_directory(f.disk / "old");
  write_file(f.disk / "old/1.jpg", "one");
  write_file(f.disk / "old/2.jpg", "two");
  const inode day = f.put(root_inode, "old", f.directory_side);
  const inode one = f.put(day, "1.jpg", f.file_side), two = f.put(day, "2.jpg", f.file_side);
  f.rename("old/1.jpg", "old/a.jpg");
  SECTION("with their directory") {
    f.intend([&] {
      index::rename_intent r{day, root_inode, "new", 0, f.stands("old")};
      r.old_parent = root_inode, r.old_path = "old", r.new_path = "new";
      return r;
    }());
    f.writer.run([&](index::transaction& t) { index::apply_rename(t, day, root_inode, "new", 1); });
    f.recover();
    CHECK_FALSE(stdfs::exists(f.disk / "old"));
    CHECK(f.content("new/a.jpg") == "one");
    CHECK(f.at("new/a.jpg")->ino == one);
  }
  SECTION("an exchange") {
    stdfs::rename(f.disk / "old/1.jpg", f.disk / "old/a.jpg");
    f.rename("old/a.jpg", "old/2.jpg", two);
    f.recover();
    CHECK(f.content("old/2.jpg") == "one");
    CHECK(f.content("old/a.jpg") == "two");
  }
  SECTION("over another, and on from there") {
    f.rename("old/a.jpg", "old/2.jpg");
    SECTION("not on") {
      f.recover();
      CHECK(f.content("old/2.jpg") == "one");
    }
    SECTION("on") {
      f.rename("old/2.jpg", "old/3.jpg");
      f.recover();
      CHECK(f.content("old/3.jpg") == "one");
      CHECK(f.content("old/2.jpg") == "(none)");
    }
    CHECK(f.content("old/1.jpg") == "(none)");
    CHECK(f.content("old/a.jpg") == "(none)");
  }
}

TEST_CASE("a picture that was renamed there and back stays where it is, and what came under the other name as well",
          "[renames]") {
  done_fixture f;
  write_file(f.disk / "a.jpg", "one");
  f.put(root_inode, "a.jpg", f.file_side);
  f.rename("a.jpg", "b.jpg");
  stdfs::rename(f.disk / "a.jpg", f.disk / "b.jpg");
  f.rename("b.jpg", "a.jpg");
  SECTION("both on the disk") {
    stdfs::rename(f.disk / "b.jpg", f.disk / "a.jpg");
    write_file(f.disk / "b.jpg", "upload");
    f.recover();
    CHECK(f.content("b.jpg") == "upload");
  }
  SECTION("the first alone") {
    f.recover();
    CHECK(f.content("b.jpg") == "(none)");
  }
  CHECK(f.content("a.jpg") == "one");
}

TEST_CASE("a directory that was made under the name of a renamed one is not taken for it", "[renames]") {
  done_fixture f;
  stdfs::create_directory(f.disk / "old");
  f.put(root_inode, "old", f.directory_side);
  f.rename("old", "new");
  stdfs::rename(f.disk / "old", f.disk / "new");
  f.remove("new");
  stdfs::remove(f.disk / "new");
  write_file(f.disk / "old/upload.jpg", "upload");
  f.recover();
  CHECK(f.content("old/upload.jpg") == "upload");
}

TEST_CASE("what a picture was renamed to and somebody put another under is not replaced", "[renames]") {
  done_fixture f;
  write_file(f.disk / "a.jpg", "one");
  f.put(root_inode, "a.jpg", f.file_side);
  f.rename("a.jpg", "b.jpg");
  write_file(f.disk / "b.jpg", "by hand");
  f.recover();
  CHECK(f.content("a.jpg") == "one");
  CHECK(f.content("b.jpg") == "by hand");
}

TEST_CASE("what was removed in a directory that was removed is not there again", "[renames]") {
  done_fixture f;
  write_file(f.disk / "1.jpg", "one");
  stdfs::create_directory(f.disk / "album");
  f.put(root_inode, "1.jpg", f.file_side);
  entry album;
  album.parent = root_inode, album.name = "album", album.local = f.directory_side, album.state = state::added;
  f.writer.run([&](index::transaction& t) { t.insert(album); });
  f.rename("1.jpg", "album/1.jpg");
  stdfs::rename(f.disk / "1.jpg", f.disk / "album/1.jpg");
  f.remove("album/1.jpg");
  f.writer.run([&](index::transaction& t) { index::apply_removal(t, t.child(root_inode, "album")->ino, 1); });
  f.recover();
  CHECK(f.content("album/1.jpg") == "(none)");
}

}  // namespace
}  // namespace ferryfs::test
