// Somebody looks at a file while somebody writes it: no look makes the kernel take an older size for the newer one.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// Looks again and again, by `look`, until it ends.
class looker {
 public:
  explicit looker(std::function<void()> look)
      : thread_([look = std::move(look)](const std::stop_token& stop) {
          while (!stop.stop_requested()) look();
        }) {}

 private:
  std::jthread thread_;
};

std::function<void()> stat_of(const fs::path& path) {
  return [path] {
    struct stat st {};
    ::stat(path.c_str(), &st);
  };
}

// As `ls -l`: names with their attributes, in one.
std::function<void()> list_of(const fs::path& directory) {
  return [directory] {
    std::error_code gone;
    for (const auto& e : fs::directory_iterator(directory, gone)) e.file_size(gone);
  };
}

void append_line(const fs::path& path, const std::string& line) {
  const descriptor file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
  REQUIRE(::write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()));
}

std::vector<std::string> both_ways() { return {"passthrough", "nopassthrough"}; }

std::vector<std::string> options_of(const std::string& way) {
  return way == "nopassthrough" ? std::vector<std::string>{"-o", "nopassthrough"} : std::vector<std::string>{};
}

}  // namespace

TEST_CASE("no line that is appended is lost while others look at the file") {
  for (const auto& way : both_ways()) {
    store s{options_of(way)};
    const fs::path log = s / "log.txt";
    write_file(log, "");
    std::string all;
    {
      const looker one{stat_of(log)}, other{list_of(s.mount->mountpoint())};
      for (int i = 0; i < 1000; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        append_line(log, line);
        all += line;
      }
    }
    INFO(way);
    CHECK((read_file(log) == all));
    CHECK((read_file(s.f.to / "log.txt") == all));
  }
}

TEST_CASE("a file shows what was written to it as soon as it is closed, whoever looks meanwhile") {
  for (const auto& way : both_ways()) {
    store s{options_of(way)};
    const looker one{list_of(s.mount->mountpoint())};
    int wrong = 0;
    for (unsigned i = 0; i < 400; ++i) {
      const fs::path path = s / (std::to_string(i % 20) + ".bin");
      const std::string content = noise(3000 + i, i);
      write_file(path, content);
      if (fs::file_size(path) != content.size() || read_file(path) != content) ++wrong;
    }
    INFO(way);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a file that grows and shrinks by truncate has the size it was given, whoever looks") {
  for (const auto& way : both_ways()) {
    store s{options_of(way)};
    const fs::path path = s / "sized.bin";
    write_file(path, "x");
    const looker one{stat_of(path)};
    int wrong = 0;
    for (unsigned i = 1; i < 300; ++i) {
      const std::uintmax_t size = i * 37 % 9001;
      fs::resize_file(path, size);
      if (fs::file_size(path) != size) ++wrong;
      append_line(path, "tail");
      if (fs::file_size(path) != size + 4) ++wrong;
    }
    INFO(way);
    CHECK(wrong == 0);
  }
}

TEST_CASE("two that write one file leave the size that it has on the disk") {
  store s;
  const fs::path path = s / "shared.bin";
  write_file(path, "");
  const auto write_at = [&](off_t from) {
    for (off_t i = 0; i < 200; ++i) {
      const descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
      if (::pwrite(file.get(), "0123456789", 10, from + i * 20) != 10) throw std::runtime_error("write");
    }
  };
  {
    const std::jthread one{[&] { write_at(0); }}, other{[&] { write_at(10); }};
  }
  s.remount();  // so that the index alone answers
  CHECK(fs::file_size(path) == 4000);
}

TEST_CASE("modes and times are what was set last, whoever looks") {
  store s;
  const fs::path path = s / "set.bin";
  write_file(path, "x");
  const looker one{stat_of(path)}, other{list_of(s.mount->mountpoint())};
  int wrong = 0;
  for (int i = 0; i < 300; ++i) {
    const auto mode = i % 2 == 0 ? 0640U : 0600U;
    struct stat st {};
    if (::chmod(path.c_str(), mode) != 0 || ::stat(path.c_str(), &st) != 0 || (st.st_mode & 0777) != mode) ++wrong;
    set_mtime(path, long_ago + i);
    if (::stat(path.c_str(), &st) != 0 || st.st_mtim.tv_sec != long_ago + i) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("what is written to a mapping after the file was closed is seen, and is in the index when it ends") {
  for (const auto& way : both_ways()) {
    store s{options_of(way)};
    const fs::path path = s / "mapped.bin";
    write_file(path, std::string(8192, 'a'));
    {
      descriptor file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
      auto* at = static_cast<char*>(::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
      REQUIRE(at != MAP_FAILED);
      file = descriptor{};
      at[0] = 'b', at[8191] = 'c';
      REQUIRE(::munmap(at, 8192) == 0);
    }
    const auto content = read_file(path);
    INFO(way);
    CHECK(content.front() == 'b');
    CHECK(content.back() == 'c');
    s.remount();
    CHECK((read_file(path) == content));
  }
}

TEST_CASE("a mapping that is written to while others read is seen after the file was closed") {
  for (const auto& way : both_ways()) {
    store s{options_of(way)};
    const fs::path path = s / "mapped.bin";
    write_file(path, std::string(8192, 'a'));
    const descriptor reader{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    descriptor file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    auto* at = static_cast<char*>(::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
    REQUIRE(at != MAP_FAILED);
    at[0] = 'b';
    file = descriptor{};
    const auto time_of = [](const fs::path& of) {
      struct stat st {};
      REQUIRE(::stat(of.c_str(), &st) == 0);
      return std::pair(st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    };
    const auto at_close = time_of(path);
    INFO(way);
    // Again and again: the file's time is that of the kernel's last tick, which may be that of the write before.
    const auto is_written_after = [&](std::size_t offset, char byte, const auto& before) {
      return wait_until([&] {
        at[offset] = byte;
        return ::msync(at, 8192, MS_SYNC) == 0 && time_of(path) > before;
      });
    };
    CHECK(is_written_after(1, 'c', at_close));  // the page is dirty by now
    CHECK(is_written_after(4096, 'd', time_of(path)));
    REQUIRE(::munmap(at, 8192) == 0);
    CHECK(wait_until([&] { return time_of(path) == time_of(s.f.to / "mapped.bin"); }));
    s.remount();
    CHECK(time_of(path) == time_of(s.f.to / "mapped.bin"));
    CHECK((read_file(path) == read_file(s.f.to / "mapped.bin")));
  }
}

TEST_CASE("a file with holes shows the blocks that it has, also when it was closed and mounted again") {
  store s;
  const fs::path path = s / "sparse.bin";
  write_file(path, "x");
  fs::resize_file(path, 10 << 20);
  for (int i = 0; i < 2; ++i) {
    struct stat st {};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    CHECK(st.st_size == 10 << 20);
    CHECK(st.st_blocks < 100);
    s.remount();
  }
}
