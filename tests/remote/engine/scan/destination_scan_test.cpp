// A scan of the destination beside those who change its names through the mount.
#include "remote/engine/scan/destination_scan.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <future>
#include <map>
#include <random>
#include <shared_mutex>

#include "index/update/local_change.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

// Changes names as the mount does: on the disk, then in the index, with the namespace locked.
struct user : archive_fixture {
  std::mt19937 dice{1};
  std::map<std::string, inode> files;  // that he made, by path; inodes are for ever

  std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>{0, count - 1}(dice); }
  std::string any() { return std::next(files.begin(), static_cast<std::ptrdiff_t>(pick(files.size())))->first; }
  std::string free_name() {
    return fmt::format("{}/{:08}", pick(2) == 0 ? "many" : "few", 1'000'000 + pick(1'000'000));
  }

  index::directory_entry seen(const std::string& path) { return where.look(path).value(); }
  inode directory_of(const std::string& path) { return row(path.substr(0, path.find('/'))).ino; }
  static std::string name_of(const std::string& path) { return path.substr(path.find('/') + 1); }

  void create(const std::string& path) {
    if (files.contains(path)) return;
    const std::shared_lock names{where.namespace_lock()};
    write_file(on_disk(path), path);
    const auto now = seen(path);
    files[path] = writer.run([&, parent = directory_of(path)](index::transaction& t) {
      return index::apply_creation(t, {parent, name_of(path), now.attributes, now.uid, now.gid, ""}, second);
    });
    ++where.namespace_version();
  }
  void rename(const std::string& from, const std::string& to) {
    if (files.contains(to)) return;
    const std::unique_lock names{where.namespace_lock()};
    std::filesystem::rename(on_disk(from), on_disk(to));
    writer.run([&, ino = files.at(from), parent = directory_of(to)](index::transaction& t) {
      index::apply_rename(t, ino, parent, name_of(to), second);
    });
    files[to] = files.at(from);
    files.erase(from);
    ++where.namespace_version();
  }
  void remove(const std::string& path) {
    const std::shared_lock names{where.namespace_lock()};
    std::filesystem::remove(on_disk(path));
    writer.run([&, ino = files.at(path)](index::transaction& t) { index::apply_removal(t, ino, second); });
    files.erase(path);
    ++where.namespace_version();
  }
  void do_something() {
    const auto what = files.empty() ? 0 : pick(4);
    if (what == 0) return create(free_name());
    if (what == 1) return remove(any());
    const std::string from = any();
    rename(from, free_name());
  }

  void scan() {
    remote::directory_cache none;
    remote::scan_destination(where, writer, readers, {}, none);
  }
  template <typename Beside>
  void scan_beside(Beside&& act) {
    auto end = std::async(std::launch::async, [&] { scan(); });
    do act();
    while (end.wait_for(std::chrono::seconds(0)) != std::future_status::ready);
    end.get();
  }
  void check_equal() {
    for (const char* directory : {"many", "few"}) {
      std::map<std::string, inode> rows;
      readers.borrow()->children(row(directory).ino, "", [&](entry&& e) {
        if (e.is_local()) rows[e.name] = e.ino;
        return true;
      });
      for (const auto& e : std::filesystem::directory_iterator(on_disk(directory))) {
        const auto at = rows.find(e.path().filename().string());
        INFO(e.path());
        REQUIRE(at != rows.end());
        const auto his = files.find(std::string(directory) + '/' + at->first);
        if (his != files.end()) CHECK(at->second == his->second);
        rows.erase(at);
      }
      CHECK(rows.empty());
    }
  }
};

TEST_CASE("the kernel is told of the destination's own directory, which was looked at before it was known") {
  user u;
  std::atomic<bool> was_told = false;
  u.writer.on_change([&](const std::vector<index::change>& changes) {
    for (const auto& c : changes)
      was_told = was_told || (c.ino == root_inode && c.what == index::change::what::listing);
  });
  u.scan();
  CHECK(was_told);
  was_told = false;
  u.scan();
  CHECK_FALSE(was_told);
}

TEST_CASE("names that are made, moved and removed while a directory is scanned are in the index as on the disk") {
  user u;
  for (int i = 0; i < 3000; ++i) write_file(u.on_disk(fmt::format("many/{:08}", i)), "x");
  write_file(u.on_disk("few/1"), "x");
  for (int round = 0; round < 3; ++round) {
    if (round > 0) std::filesystem::remove(u.on_disk(fmt::format("many/{:08}", round)));  // behind our back
    u.scan_beside([&] {
      if (u.at("many") && u.at("few")) u.do_something();
    });
    u.scan();
    u.check_equal();
  }
  CHECK(u.files.size() > 3);
}

TEST_CASE("a directory that gets another name while it is scanned keeps what is in it") {
  user u;
  std::filesystem::create_directory(u.on_disk("few"));
  for (int i = 0; i < 3000; ++i) write_file(u.on_disk(fmt::format("many/{:08}", i)), "x");
  u.scan();
  const auto inode_of = [&](const std::string& directory) { return u.row(directory + "/00002999").ino; };
  const inode first = u.row("many").ino, before = inode_of("many");
  std::string name = "many";
  for (int i = 0; i < 3000; i += 2) std::filesystem::remove(u.on_disk(fmt::format("many/{:08}", i)));
  u.scan_beside([&] {
    const std::string next = name == "many" ? "moved" : "many";
    const std::unique_lock names{u.where.namespace_lock()};
    std::filesystem::rename(u.on_disk(name), u.on_disk(next));
    u.writer.run([&](index::transaction& t) { index::apply_rename(t, first, root_inode, next, second); });
    name = next;
  });
  u.scan();
  CHECK(u.row(name).ino == first);
  CHECK(inode_of(name) == before);
  std::size_t left = 0;
  u.readers.borrow()->children(first, "", [&](entry&&) { return ++left; });
  CHECK(left == 1500);
}

TEST_CASE("a large directory that is scanned holds those who change names up for a part of it only") {
  user u;
  constexpr std::size_t all = 5000;
  for (std::size_t i = 0; i < all; ++i) write_file(u.on_disk(fmt::format("many/{:08}", i)), "x");
  std::vector<std::int64_t> seen;  // by the index, each time the namespace was free
  u.scan_beside([&] {
    const std::shared_lock names{u.where.namespace_lock()};
    seen.push_back(u.readers.borrow()->totals().of(state::added).files);
  });
  std::int64_t most = 0, last = 0;
  for (const auto now : seen) most = std::max(most, now - std::exchange(last, now));
  CHECK(most < static_cast<std::int64_t>(all / 2));
}

TEST_CASE("one directory that cannot be merged keeps no other from being scanned, and is told of") {
  user u;
  for (const char* path : {"a/1", "b/1", "c/1"}) write_file(u.on_disk(path), "x");
  std::atomic<int> looks = 0;
  index::readers failing{u.where.index_path(), [&] {
                           if (++looks == 4) throw std::runtime_error("one page is damaged");
                         }};
  remote::directory_cache none;
  CHECK_THROWS(remote::scan_destination(u.where, u.writer, failing, {}, none));
  int here = 0;
  for (const char* path : {"a/1", "b/1", "c/1"}) here += u.at(path) ? 1 : 0;
  CHECK(here == 2);
  u.scan();
  CHECK((u.at("a/1") && u.at("b/1") && u.at("c/1")));
}

}  // namespace
}  // namespace ferryfs::test
