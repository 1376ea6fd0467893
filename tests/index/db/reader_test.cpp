#include "index/db/reader.hpp"

#include <atomic>
#include <set>
#include <thread>

#include "index/base/error.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::transaction;

TEST_CASE("an entry is found by its path, and its path by its inode") {
  index_fixture f;
  const inode d = f.insert(root_inode, "2013", directory_side());
  const inode sub = f.insert(d, "\xff\n", directory_side());
  const inode picture = f.insert(sub, "a.jpg", file_side(1));
  const auto reader = f.readers.borrow();
  CHECK(reader->at("2013/\xff\n/a.jpg")->ino == picture);
  CHECK(reader->path(picture) == "2013/\xff\n/a.jpg");
  CHECK(reader->at("2013")->ino == d);
  CHECK(reader->at("")->ino == root_inode);
  CHECK(reader->path(root_inode) == "");
}

TEST_CASE("what is not there has no entry and no path") {
  index_fixture f;
  const inode d = f.insert(root_inode, "d", directory_side());
  f.insert(d, "a.jpg", file_side(1));
  const inode orphan = f.insert(999, "orphan.jpg", file_side(1));
  const auto reader = f.readers.borrow();
  for (const char* path : {"a.jpg", "D", "d/b.jpg", "d/a.jpg/x", "/d", "d//a.jpg", "."}) CHECK_FALSE(reader->at(path));
  CHECK_FALSE(reader->path(777));
  CHECK_FALSE(reader->path(orphan));
}

TEST_CASE("a chain of directories that bites its tail has no path, and hangs nobody") {
  index_fixture f;
  const inode a = f.insert(root_inode, "a", directory_side());
  const inode b = f.insert(a, "b", directory_side());
  f.edit(a, [&](entry& e) { e.parent = b; });
  CHECK_FALSE(f.readers.borrow()->path(a));
}

TEST_CASE("a deleted picture is not in the view, and its name is free") {
  index_fixture f;
  f.edit(f.insert(root_inode, "a.jpg", file_side(1)), [](entry& e) { e.state = state::deleted; });
  CHECK_FALSE(f.readers.borrow()->at("a.jpg"));
  CHECK(f.names_in(root_inode).empty());
  CHECK(f.row("a.jpg").state == state::deleted);
  CHECK(f.insert(root_inode, "a.jpg", {}, file_side(2)) != 0);
  CHECK(f.row("a.jpg").state == state::added);
}

TEST_CASE("a directory is listed in the order of bytes, and goes on behind a name") {
  index_fixture f;
  std::set<std::string> names{"A", "a", "a.jpg", "a/", "\x01", "\xff", "b", "~"};
  for (const auto& n : names) f.insert(root_inode, n, n == "b" ? directory_side() : file_side(1));
  CHECK(f.names_in(root_inode) == std::vector<std::string>(names.begin(), names.end()));
  std::vector<std::string> behind, directories;
  const auto reader = f.readers.borrow();
  reader->children(root_inode, "a.jpg", [&](entry&& e) {
    behind.push_back(e.name);
    return behind.size() < 2;
  });
  CHECK(behind == std::vector<std::string>{"a/", "b"});
  reader->subdirectories(root_inode, "", [&](entry&& e) {
    directories.push_back(e.name);
    return true;
  });
  CHECK(directories == std::vector<std::string>{"b"});
}

TEST_CASE("every field of an entry is stored and read as it was") {
  index_fixture f;
  entry e;
  e.parent = root_inode, e.name = std::string("a\xff\x01", 3), e.state = state::failed, e.day = 20130715;
  e.source = file_facts{S_IFREG | 0444, std::uint64_t{1} << 62, -5}, e.local = file_facts{S_IFREG | 0600, 0, INT64_MAX};
  e.uid = 4'294'967'294, e.gid = 0, e.fetched = true, e.target = "t\xfe", e.sha256 = std::string(32, '\0');
  e.listed_mtime = 0, e.attempts = 4'000'000'000, e.retry_at = INT64_MAX, e.error = "caf\xc3\xa9";
  e.ino = f.insert(e);
  CHECK(f.row(e.name) == e);
  entry bare;
  bare.parent = root_inode, bare.name = "bare", bare.state = state::added, bare.local = file_facts{};
  bare.ino = f.insert(bare);
  CHECK(f.row("bare") == bare);
}

TEST_CASE("a name that is taken is not stored again") {
  index_fixture f;
  CHECK(f.insert(root_inode, "a", file_side(1)) != 0);
  CHECK(f.insert(root_inode, "a", file_side(2)) == 0);
  CHECK(f.row("a").source == file_side(1));
  CHECK(f.readers.borrow()->totals().of(state::missing).files == 1);
}

TEST_CASE("an inode is never given again, even after the newest was erased and the index opened anew") {
  const temp_dir dir;
  const std::string path = (dir / "index.db").string();
  const auto insert_and_erase = [&] {
    index::writer writer{path};
    return writer.run([](transaction& t) {
      entry e;
      e.parent = root_inode, e.name = "a", e.source = file_side(1);
      e.ino = t.insert(e);
      t.erase(e);
      return e.ino;
    });
  };
  const inode first = insert_and_erase(), second_one = insert_and_erase(), third = insert_and_erase();
  CHECK(second_one > first);
  CHECK(third > second_one);
}

TEST_CASE("what was stored is there when the writer is gone") {
  const temp_dir dir;
  const std::string path = (dir / "index.db").string();
  {
    index::writer writer{path};
    writer.run([](transaction& t) {
      entry e;
      e.parent = root_inode, e.name = "a.jpg", e.source = file_side(7);
      t.insert(e);
    });
  }
  index::readers readers{path};
  CHECK(readers.borrow()->at("a.jpg")->source == file_side(7));
  CHECK(readers.borrow()->totals().of(state::missing) == index::total{1, 7, 0});
}

TEST_CASE("connections are lent, given back and lent again") {
  index_fixture f;
  index::reader* first = nullptr;
  {
    const auto lease = f.readers.borrow();
    first = lease.get();
    const auto other = f.readers.borrow();
    CHECK(other.get() != first);
  }
  const auto again = f.readers.borrow(), and_again = f.readers.borrow();
  CHECK((again.get() == first || and_again.get() == first));
}

TEST_CASE("each look sees what was committed before it, and holds the writer up in nothing") {
  index_fixture f;
  const auto reader = f.readers.borrow();
  CHECK_FALSE(reader->at("a"));
  f.insert(root_inode, "a", file_side(1));
  CHECK(reader->at("a"));
  reader->children(root_inode, "", [&](entry&&) {
    f.insert(root_inode, "b", file_side(1));
    return false;
  });
  CHECK(reader->at("b"));
}

TEST_CASE("many threads read while one writes") {
  index_fixture f;
  std::vector<std::thread> threads;
  std::atomic<bool> over = false;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      while (!over) {
        const auto reader = f.readers.borrow();
        const auto totals = reader->totals().of(state::missing);
        if (totals.files * 3 != totals.source_bytes) ++wrong;
      }
    });
  for (int i = 0; i < 200; ++i) f.insert(root_inode, std::to_string(i), file_side(3));
  over = true;
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace ferryfs::test
