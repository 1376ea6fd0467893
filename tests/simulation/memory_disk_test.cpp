// The disk in memory answers as the machine's does, and a power cut takes what was not synced and nothing else.
#include "tests/simulation/memory_disk.hpp"

#include <linux/fs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {
namespace {

// The outcome of a call, to be compared: its result, errno, and the bytes read. Which descriptor it gave is the
// system's to choose.
template <typename Call>
std::string run(Call&& call) {
  std::string read;
  errno = 0;
  const long result = call(read);
  // The links lead nowhere; the disk in memory follows none at all.
  if (result < 0 && errno == ELOOP) errno = ENOENT;
  return result < 0 ? std::strerror(errno) : std::to_string(result > 0) + ' ' + read;
}

// The same random steps on two disks, below a directory of each.
class steps {
 public:
  steps(disk_calls& d, std::string top, unsigned seed) : disk_(d), random_(seed) {
    root_ = d.open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  }
  ~steps() {
    for (const int fd : files_) disk_.close(fd);
    disk_.close(root_);
  }

  std::string next() {
    const auto what = below(14);
    const std::string one = path(), other = path();
    return std::to_string(what) + ' ' + one + ' ' + other + ": " + run([&](std::string& read) -> long {
             switch (what) {
               case 0:
               case 1:
                 return opened(disk_.openat(root_, one.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
               case 2:
                 return opened(disk_.open_beneath(root_, one.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0));
               case 3:
                 return disk_.mkdirat(root_, one.c_str(), 0755);
               case 4:
                 return disk_.unlinkat(root_, one.c_str(), below(3) == 0 ? AT_REMOVEDIR : 0);
               case 5:
                 return disk_.renameat2(root_, one.c_str(), root_, other.c_str(), 0);
               case 6:
                 return disk_.renameat2(root_, one.c_str(), root_, other.c_str(), RENAME_NOREPLACE);
               case 7:
                 return disk_.renameat2(root_, one.c_str(), root_, other.c_str(), RENAME_EXCHANGE);
               case 8:
                 return disk_.symlinkat("nowhere", root_, one.c_str());
               case 9: {
                 struct stat st {};
                 const int result = disk_.fstatat(root_, one.c_str(), &st, AT_SYMLINK_NOFOLLOW);
                 if (result == 0)
                   read = std::to_string(st.st_mode) + (S_ISDIR(st.st_mode) ? "" : ' ' + std::to_string(st.st_size));
                 return result;
               }
               case 10: {
                 char to[64];
                 const auto n = disk_.readlinkat(root_, one.c_str(), to, sizeof to);
                 if (n > 0) read.assign(to, static_cast<std::size_t>(n));
                 return n;
               }
               case 11: {
                 const std::string bytes(1 + below(20), static_cast<char>('a' + below(26)));
                 return files_.empty() ? 0 : disk_.pwrite(file(), bytes.data(), bytes.size(), below(30));
               }
               case 12: {
                 char to[64];
                 const auto n = files_.empty() ? 0 : disk_.pread(file(), to, sizeof to, below(30));
                 if (n > 0) read.assign(to, static_cast<std::size_t>(n));
                 return n;
               }
               default:
                 return disk_.linkat(root_, one.c_str(), root_, other.c_str(), 0);
             }
           });
  }

  std::string listing(const std::string& at = ".") {
    std::vector<std::string> names;
    const int fd = disk_.openat(root_, at.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    disk_.list(fd, [&](const char* name) { return names.emplace_back(name), true; });
    disk_.close(fd);
    std::sort(names.begin(), names.end());
    std::string text;
    for (const auto& n : names) text += n + '\n';
    return text;
  }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string path() {
    static const std::vector<std::string> names{"a", "b", "d", "d/a", "d/b", "d/d", "d/d/a"};
    return names[below(7)];
  }
  long opened(int fd) {
    if (fd < 0) return fd;
    files_.push_back(fd);
    if (files_.size() > 8) disk_.close(files_.front()), files_.erase(files_.begin());
    return 0;
  }
  int file() { return files_[below(static_cast<unsigned>(files_.size()))]; }

  disk_calls& disk_;
  std::mt19937 random_;
  int root_;
  std::vector<int> files_;
};

int make_file(memory_disk& d, const char* name, const std::string& bytes) {
  const int fd = d.open(name, O_RDWR | O_CREAT, 0644);
  REQUIRE(d.pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return fd;
}

}  // namespace

TEST_CASE("random calls are answered as the machine's file system answers them") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    temp_dir real{"disk"};
    disk_calls machine;
    memory_disk memory{{}};
    steps expected{machine, real.path().string(), seed}, got{memory, "/", seed};
    for (int i = 0; i < 300; ++i) {
      CAPTURE(seed, i);
      REQUIRE(got.next() == expected.next());
      REQUIRE(got.listing() == expected.listing());
    }
  }
}

TEST_CASE("a power cut leaves what was synced, on either kind of disk") {
  std::mt19937_64 random{1};
  for (const bool weak : {false, true})
    for (int i = 0; i < 200; ++i) {
      memory_disk d{{.weak = weak}};
      const int file = make_file(d, "/synced", "whole");
      const int root = d.open("/", O_RDONLY | O_DIRECTORY, 0);
      REQUIRE(d.fsync(file) == 0);
      REQUIRE(d.fsync(root) == 0);
      d.cut_power(random);
      CHECK(d.content("/synced") == "whole");
    }
}

TEST_CASE(
    "after a power cut names that were not synced are there or not, in their order, and bytes are old, new or zeros") {
  std::mt19937_64 random{2};
  std::vector<int> seen(3), contents(3);
  for (int i = 0; i < 300; ++i) {
    memory_disk d{{}};
    const int file = make_file(d, "/first", "old");
    REQUIRE(d.fsync(file) == 0);
    REQUIRE(d.pwrite(file, "newer", 5, 0) == 5);
    d.close(make_file(d, "/second", "x"));
    REQUIRE(d.renameat2(AT_FDCWD, "/second", AT_FDCWD, "/third", 0) == 0);
    d.cut_power(random);
    const bool second = d.content("/second").has_value(), third = d.content("/third").has_value();
    CHECK_FALSE((second && third));
    ++seen[third ? 2 : second ? 1 : 0];
    const auto content = d.content("/first").value();
    const bool known = content == "old" || content == "newer" || content == std::string("old\0\0", 5);
    CHECK(known);
    ++contents[content == "old" ? 0 : content == "newer" ? 1 : 2];
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(seen[static_cast<std::size_t>(i)] > 0);
    CHECK(contents[static_cast<std::size_t>(i)] > 0);
  }
}

TEST_CASE("a full disk refuses what needs room, and a call can be made to fail") {
  memory_disk d{{.capacity = 64 << 10}};
  const int file = make_file(d, "/a", "x");
  const std::string much(100'000, 'y');
  CHECK(d.pwrite(file, much.data(), much.size(), 0) == -1);
  CHECK(errno == ENOSPC);
  int calls = 0;
  d.before_each([&](const char*) { return ++calls == 2 ? EIO : 0; });
  struct stat st {};
  CHECK(d.fstat(file, &st) == 0);
  CHECK(d.fstat(file, &st) == -1);
  CHECK(errno == EIO);
}

}  // namespace ferryfs::test
