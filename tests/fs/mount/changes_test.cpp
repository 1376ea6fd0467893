// What a user changes at the mount, seen on the destination's disk and in the index. Without FUSE.
#include <linux/fs.h>

#include <algorithm>
#include <vector>

#include "tests/fs/mount/user_fixture.hpp"

namespace ferryfs::test {

TEST_CASE_METHOD(user_fixture, "a picture that is created, written and closed is in the index", "[fs]") {
  scan();
  const auto handle = create(root_inode, "new.jpg", 0640);
  write(handle, "12345");
  CHECK(size_of(handle->ino) == 5);        // as the disk has it
  CHECK(row("new.jpg").local->size == 0);  // the index learns it at the close
  CHECK(tree.open_files_query().is_written(handle->ino));
  close(handle);

  CHECK(here("new.jpg") == "12345");
  const entry e = row("new.jpg");
  CHECK(e.state == state::added);
  CHECK(e.local->size == 5);
  CHECK((e.local->mode & 07777) == 0640);
  CHECK(e.ino == look_up("new.jpg"));
  CHECK_FALSE(tree.open_files_query().is_written(e.ino));
}

TEST_CASE_METHOD(user_fixture, "a file saved over a missing picture is a conflict with it, and fetches nothing",
                 "[fs]") {
  source->put_file("day/a.jpg", "as the source has it");
  scan();
  const inode day = look_up("day"), missing = look_up("a.jpg", look_up("day"));
  save(day, "a.tmp", "mine");
  fs::rename_entry(tree, day, "a.tmp", day, "a.jpg", 0);

  CHECK(here("day/a.jpg") == "mine");
  CHECK_FALSE(is_here("day/a.tmp"));
  CHECK(look_up("a.tmp", day) == 0);
  const inode now = look_up("a.jpg", day);
  CHECK(now != missing);
  CHECK(size_of(now) == 4);
  CHECK(of(state::missing) == 0);
  CHECK(of(state::conflict) == 1);
  CHECK(source->reads().empty());
}

TEST_CASE_METHOD(user_fixture, "a rename that must not replace, or that names .ferryfs, leaves all as it was", "[fs]") {
  source->put_file("a.jpg", "a");
  scan();
  save(root_inode, "b.jpg", "b");
  const auto rename = [&](const char* to, unsigned flags) {
    return errno_from([&] { fs::rename_entry(tree, root_inode, "b.jpg", root_inode, to, flags); });
  };
  CHECK(rename("a.jpg", RENAME_NOREPLACE) == EEXIST);
  CHECK(rename("c.jpg", RENAME_EXCHANGE) == ENOENT);
  CHECK(rename(".ferryfs", 0) == EPERM);
  CHECK(here("b.jpg") == "b");
  CHECK(row("b.jpg").state == state::added);
  CHECK(row("a.jpg").state == state::missing);

  CHECK(rename("a.jpg", RENAME_EXCHANGE) == 0);
  CHECK(here("a.jpg") == "b");
  CHECK_FALSE(is_here("b.jpg"));
  CHECK(size_of(look_up("b.jpg")) == 1);
}

TEST_CASE_METHOD(user_fixture, "what is removed leaves a tombstone that outlives a listing", "[fs]") {
  source->put_file("missing.jpg", "1");
  source->put_file("here.jpg", "22");
  scan();
  REQUIRE(fetch_below("here.jpg").files == 1);
  for (const char* name : {"missing.jpg", "here.jpg"}) fs::remove_name(tree, root_inode, name);
  scan();

  CHECK_FALSE(is_here("here.jpg"));
  for (const char* name : {"missing.jpg", "here.jpg"}) {
    CAPTURE(name);
    CHECK(look_up(name) == 0);
  }
  CHECK(of(state::deleted) == 2);
  CHECK(of(state::missing) == 0);
  CHECK(source->reads_of("missing.jpg") == 0);
  CHECK(errno_from([&] { fs::remove_name(tree, root_inode, "nothing.jpg"); }) == ENOENT);
}

TEST_CASE_METHOD(user_fixture, "an outdated copy that is truncated", "[fs]") {
  source->put_file("a.jpg", "first");
  scan();
  REQUIRE(fetch_below("a.jpg").files == 1);
  source->put_file("a.jpg", "second and longer", long_ago + 100);
  scan();
  REQUIRE(row("a.jpg").is_gap());
  const inode ino = look_up("a.jpg");
  CHECK(size_of(ino) == 17);  // what is to come, though the first is still on the disk

  SECTION("to nothing is empty, and fetches nothing") {
    REQUIRE(fs::set_attributes(tree, ino, {.size = 0}).has_value());
    CHECK(here("a.jpg").empty());
    CHECK(size_of(ino) == 0);
    CHECK(row("a.jpg").state == state::conflict);
    CHECK(row("a.jpg").local->size == 0);
    CHECK(source->reads_of("a.jpg") == 1);
  }
  SECTION("to a part of it becomes the source's first") {
    CHECK_FALSE(fs::set_attributes(tree, ino, {.size = 6}).has_value());
    CHECK(here("a.jpg") == "first");
    hydrate(ino);
    CHECK(fs::set_attributes_of_hydrated(tree, ino, {.size = 6}).st.st_size == 6);
    CHECK(here("a.jpg") == "second");
    CHECK(row("a.jpg").local->size == 6);
    CHECK(row("a.jpg").state == state::conflict);
  }
}

TEST_CASE_METHOD(user_fixture, "a mode that is set of a missing picture waits in the index until it arrives", "[fs]") {
  source->put_file("a.jpg", "bytes");
  scan();
  const inode ino = look_up("a.jpg");
  const auto now = fs::set_attributes(tree, ino, {.mode = 0600});
  REQUIRE(now.has_value());
  CHECK((now->st.st_mode & 07777) == 0600);
  CHECK_FALSE(is_here("a.jpg"));
  hydrate(ino);
  CHECK((std::filesystem::status(on_disk("a.jpg")).permissions() & std::filesystem::perms::mask) ==
        std::filesystem::perms{0600});
}

TEST_CASE_METHOD(user_fixture, "a missing picture is read when its bytes have come, and is then here", "[fs]") {
  source->put_file("a.jpg", "0123456789");
  scan();
  const auto handle = open(look_up("a.jpg"), O_RDONLY);
  CHECK(source->reads().empty());
  CHECK(read(handle, 4, 3) == "3456");
  close(handle);
  hydrate(handle->ino);
  CHECK(here("a.jpg") == "0123456789");
  CHECK(row("a.jpg").state == state::common);
}

TEST_CASE_METHOD(user_fixture, "a listing goes on after a rename at the name that it had reached", "[fs]") {
  source->put_file("a.jpg", "a");
  source->put_file("b.jpg", "b");
  source->put_file("c.jpg", "c");
  scan();
  off_t last = 0;
  const auto names_from = [&](off_t offset, std::size_t most) {
    std::vector<std::string> names;
    fs::list_names(tree, root_inode, offset, [&](const fs::listed_name& n) {
      if (names.size() == most) return false;
      names.push_back(n.name), last = n.next;
      return true;
    });
    return names;
  };
  CHECK(names_from(0, 4) == std::vector<std::string>{".", "..", "a.jpg", "b.jpg"});
  fs::rename_entry(tree, root_inode, "b.jpg", root_inode, "z.jpg", 0);
  CHECK(names_from(last, 9) == std::vector<std::string>{"c.jpg", "z.jpg"});
}

}  // namespace ferryfs::test
