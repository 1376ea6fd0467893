// FUSE passthrough, and the way without it: whoever has a local picture open sees the same by both.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <future>

#include "tests/doubles/descriptor.hpp"
#include "tests/mount/passthrough.hpp"
#include "tests/mount/store.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t size = 3'000'000;

descriptor open_at(const fs::path& path, int flags) {
  return descriptor(checked(::open(path.c_str(), flags | O_CLOEXEC, 0644), path.string()));
}

// A picture here and on the source, alike, one here alone, and one that is missing. By both ways, as GENERATE chooses.
struct two_ways {
  const bool off = GENERATE(false, true);
  ferry f;
  std::optional<mount_fixture> mount;
  bool passes_here = false;
  explicit two_ways(std::vector<std::string> arguments = {}) {
    for (const char* name : {"a.jpg", "b.jpg"}) write_old(f.to / "day" / name, noise(size, 1));
    for (const char* name : {"a.jpg", "missing.jpg"}) write_old(f.from / "day" / name, noise(size, 1));
    arguments.insert(arguments.end(), still.begin(), still.end());
    if (off) arguments.insert(arguments.end(), {"-o", "nopassthrough"});
    mount.emplace(f.options(arguments));
    mount->expect_log(still_says);
    rescan(mount->mountpoint());
    passes_here = !off && passthrough_possible(f.to);
  }
  fs::path operator/(const fs::path& name) const { return *mount / "day" / name; }
  fs::path here(const fs::path& name) const { return f.to / "day" / name; }
  std::string set_of(const fs::path& name) const { return attribute(*mount / "day" / name); }

  // True where `file` is read while ferryfs stands still.
  bool passes(const descriptor& file) {
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    mount->signal(SIGSTOP);
    CHECK(wait_until([&] {
      const auto state = read_file("/proc/" + std::to_string(mount->pid()) + "/stat");
      return state.substr(state.rfind(')') + 2, 1) == "T";
    }));
    char byte = 0;
    auto read = std::async(std::launch::async, [&] { return ::pread(file.get(), &byte, 1, size / 2); });
    const bool passed = read.wait_for(passes_here ? 10s : 300ms) == std::future_status::ready;
    mount->signal(SIGCONT);
    CHECK(read.get() == 1);
    return passed;
  }
};

std::size_t size_of(const fs::path& path) {
  struct stat st {};
  checked(::stat(path.c_str(), &st), path.string());
  return static_cast<std::size_t>(st.st_size);
}

}  // namespace

TEST_CASE("a local picture is read by the kernel itself, where that may be", "[passthrough]") {
  two_ways w;
  const auto reader = open_at(w / "a.jpg", O_RDONLY), second = open_at(w / "a.jpg", O_RDONLY);
  CHECK(w.passes(reader) == w.passes_here);
  CHECK(w.passes(second) == w.passes_here);
  CHECK((read_file(w / "a.jpg") == noise(size, 1)));
  const auto made = open_at(w / "made.jpg", O_WRONLY | O_CREAT);
  REQUIRE(::pwrite(made.get(), noise(size, 2).data(), size, 0) == size);
  CHECK(w.passes(open_at(w / "made.jpg", O_RDONLY)) == w.passes_here);
  const auto status = run_ferryfs({"status", "--verbose", w.mount->mountpoint()}).out;
  const auto has_not = status.find("has not:"), passthrough = status.find("passthrough");
  REQUIRE(passthrough != std::string::npos);
  CHECK((passthrough < has_not) == w.passes_here);
}

TEST_CASE("what is written is seen at once, and known when it is closed", "[passthrough]") {
  two_ways w;
  const auto bytes = noise(size, 5);
  {
    const auto reader = open_at(w / "b.jpg", O_RDONLY);
    const auto writer = open_at(w / "b.jpg", O_RDWR), appender = open_at(w / "b.jpg", O_WRONLY | O_APPEND);
    REQUIRE(::pwrite(writer.get(), bytes.data(), 1000, 500) == 1000);
    std::string through(1000, ' ');
    CHECK(::pread(reader.get(), through.data(), 1000, 500) == 1000);
    CHECK((through == bytes.substr(0, 1000)));
    CHECK(::write(appender.get(), "tail", 4) == 4);
    CHECK(size_of(w / "b.jpg") == size + 4);
    CHECK(::pread(reader.get(), through.data(), 10, size) == 4);
    REQUIRE(::ftruncate(writer.get(), 700) == 0);
    CHECK(size_of(w / "b.jpg") == 700);
    CHECK(::write(appender.get(), "more", 4) == 4);
    CHECK(size_of(w / "b.jpg") == 704);
    CHECK(::lseek(reader.get(), 0, SEEK_END) == 704);
    CHECK(::lseek(reader.get(), 0, SEEK_DATA) == 0);
    REQUIRE(::posix_fallocate(writer.get(), 0, 5000) == 0);
    CHECK(size_of(w / "b.jpg") == 5000);
  }
  auto expected = noise(size, 1).substr(0, 500) + bytes.substr(0, 200) + "more";
  expected.resize(5000);
  CHECK((read_file(w / "b.jpg") == expected));
  CHECK((read_file(w.here("b.jpg")) == expected));
  CHECK(wait_until([&] { return files_in(w.mount->mountpoint(), "new") == 1; }));
  CHECK(w.mount->stop() == 0);
  w.mount->start();
  CHECK((read_file(w / "b.jpg") == expected));
  CHECK(size_of(w / "b.jpg") == 5000);
}

TEST_CASE("other bytes of the same size are noticed, an open without any is none", "[passthrough]") {
  two_ways w;
  const auto conflicts = [&] { return files_in(w.mount->mountpoint(), "conflict"); };
  std::string how = "written";
  { const auto unused = open_at(w / "a.jpg", O_RDWR); }
  CHECK(run({"touch", w / "a.jpg"}).code == 0);
  CHECK(run({"touch", w / "a.jpg"}).code == 0);
  CHECK(conflicts() == 0);
  SECTION("by write, before another who has it open closes it") {
    const auto kept = open_at(w / "a.jpg", O_WRONLY), writer = open_at(w / "a.jpg", O_WRONLY);
    { const descriptor twin{::dup(writer.get())}; }
    REQUIRE(::pwrite(writer.get(), "changed", 7, 0) == 7);
    CHECK(::close(::dup(writer.get())) == 0);
    CHECK(conflicts() == 1);
  }
  SECTION("just after it was touched") {
    how = "just touched";
    const auto writer = open_at(w / "a.jpg", O_WRONLY);
    REQUIRE(::futimens(writer.get(), nullptr) == 0);
    REQUIRE(::pwrite(writer.get(), "changed", 7, 0) == 7);
  }
  SECTION("by write, and then dated back") {
    how = "dated back";
    const auto writer = open_at(w / "a.jpg", O_WRONLY);
    struct stat before {};
    REQUIRE(::fstat(writer.get(), &before) == 0);
    REQUIRE(::pwrite(writer.get(), "changed", 7, 0) == 7);
    const timespec times[] = {before.st_atim, before.st_mtim};
    REQUIRE(::futimens(writer.get(), times) == 0);
  }
  SECTION("by a shared mapping, after the last close") {
    how = "mapped";
    const bool beside = GENERATE(false, true);
    const auto reader = beside ? open_at(w / "a.jpg", O_RDONLY) : descriptor();
    auto writer = open_at(w / "a.jpg", O_RDWR);
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
    REQUIRE(at != MAP_FAILED);
    if (!beside) writer.reset();
    std::memcpy(at, "changed", 7);
    CHECK(::munmap(at, size) == 0);
  }
  INFO((w.off ? "without" : "with") << " passthrough, " << how);
  CHECK(wait_until([&] { return conflicts() == 1; }));
  CHECK(read_file(w / "a.jpg").substr(0, 7) == "changed");
  CHECK(read_file(w.here("a.jpg")).substr(0, 7) == "changed");
}

TEST_CASE("a picture that becomes local while it is open stays as it was opened until it is closed", "[passthrough]") {
  two_ways w;
  {
    const auto early = open_at(w / "missing.jpg", O_RDONLY);
    CHECK((read_file(w / "missing.jpg") == noise(size, 1)));
    REQUIRE(wait_until([&] { return w.set_of("missing.jpg") == "local"; }));
    const auto late = open_at(w / "missing.jpg", O_RDONLY), writer = open_at(w / "missing.jpg", O_RDWR);
    CHECK_FALSE(w.passes(late));
    CHECK_FALSE(w.passes(early));
    REQUIRE(::pwrite(writer.get(), "changed", 7, 0) == 7);
    std::string through(7, ' ');
    CHECK(::pread(early.get(), through.data(), 7, 0) == 7);
    CHECK(through == "changed");
  }
  const auto reader = open_at(w / "missing.jpg", O_RDONLY);
  CHECK(wait_until([&] { return w.passes(open_at(w / "missing.jpg", O_RDONLY)) == w.passes_here; }));
  CHECK(read_file(w.here("missing.jpg")).substr(0, 7) == "changed");
}

TEST_CASE("a removed picture that is open is not mixed up with what takes its name", "[passthrough]") {
  two_ways w;
  const auto reader = open_at(w / "a.jpg", O_RDONLY), writer = open_at(w / "a.jpg", O_WRONLY);
  if (GENERATE(false, true)) {
    REQUIRE(fs::remove(w / "a.jpg"));
  } else {
    fs::rename(w / "b.jpg", w / "a.jpg");
    REQUIRE(fs::remove(w / "a.jpg"));
  }
  const auto content = noise(90'000, 7);
  write_file(w / "a.jpg", content);
  CHECK(::pwrite(writer.get(), "changed", 7, 0) == 7);
  CHECK((read_file(w / "a.jpg") == content));
  CHECK(size_of(w / "a.jpg") == content.size());
  CHECK((read_file(w.here("a.jpg")) == content));
  rescan(w.mount->mountpoint());
  CHECK(size_of(w / "a.jpg") == content.size());
}

TEST_CASE("a renamed picture that is open is written under its new name", "[passthrough]") {
  two_ways w;
  {
    const auto writer = open_at(w / "b.jpg", O_WRONLY);
    fs::rename(w / "b.jpg", w / "c.jpg");
    REQUIRE(::pwrite(writer.get(), "changed", 7, size) == 7);
    CHECK(size_of(w / "c.jpg") == size + 7);
    const auto again = open_at(w / "c.jpg", O_RDONLY);
    CHECK(w.passes(again) == w.passes_here);
  }
  CHECK((read_file(w.here("c.jpg")) == noise(size, 1) + "changed"));
}

TEST_CASE("truncating, mapping, locking and direct access are as on a disk", "[passthrough]") {
  two_ways w;
  const auto reader = open_at(w / "a.jpg", O_RDONLY);
  const void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, reader.get(), 0);
  REQUIRE(at != MAP_FAILED);
  CHECK(std::memcmp(at, noise(size, 1).data(), size) == 0);
  struct flock whole {};
  whole.l_type = F_RDLCK;
  CHECK(::fcntl(reader.get(), F_SETLK, &whole) == 0);
  {
    const auto direct = open_at(w / "a.jpg", O_RDONLY | O_DIRECT);
    void* aligned = std::aligned_alloc(4096, 8192);
    CHECK(::pread(direct.get(), aligned, 8192, 4096) == 8192);
    CHECK(std::memcmp(aligned, noise(size, 1).data() + 4096, 8192) == 0);
    std::free(aligned);
  }
  const auto writer = open_at(w / "a.jpg", O_WRONLY | O_TRUNC);
  CHECK(size_of(w / "a.jpg") == 0);
  CHECK(::write(writer.get(), "new", 3) == 3);
  CHECK(read_file(w / "a.jpg") == "new");
  CHECK(std::memcmp(at, "new", 3) == 0);
  CHECK(::munmap(const_cast<void*>(at), size) == 0);
  const auto alone = open_at(w / "b.jpg", O_RDONLY | O_DIRECT), beside = open_at(w / "b.jpg", O_RDONLY);
  char byte = 0;
  CHECK(::pread(beside.get(), &byte, 1, 3) == 1);
  CHECK(byte == noise(size, 1)[3]);
}

TEST_CASE("what is written by somebody else loses its set-user-id bit", "[passthrough]") {
  if (::geteuid() != 0) return;
  two_ways w{{"--allow-other"}};
  for (const auto& above : {w.f.dir.path(), w.f.dir.path().parent_path()})
    fs::permissions(above, fs::perms::others_exec, fs::perm_options::add);
  for (const auto& open : {w.mount->mountpoint(), w / ""}) fs::permissions(open, fs::perms(0755));
  fs::permissions(w / "b.jpg", fs::perms(06777));
  out_of({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "dd", "if=/dev/zero", "count=1",
          "conv=notrunc", "of=" + (w / "b.jpg").string()});
  struct stat st {};
  REQUIRE(::stat((w / "b.jpg").c_str(), &st) == 0);
  CHECK((st.st_mode & 06000) == 0);
  REQUIRE(::stat(w.here("b.jpg").c_str(), &st) == 0);
  CHECK((st.st_mode & 06000) == 0);
}

TEST_CASE("a destination that is an overlay is read and written all the same", "[passthrough]") {
  if (::geteuid() != 0) return;
  ferry f;
  for (const char* part : {"lower", "upper", "work"}) fs::create_directories(f.dir / part);
  fs::create_directories(f.to);
  write_old(f.dir / "lower/day/a.jpg", noise(size, 1));
  write_old(f.from / "day/missing.jpg", "x");
  const auto layers = "lowerdir=" + (f.dir / "lower").string() + ",upperdir=" + (f.dir / "upper").string() +
                      ",workdir=" + (f.dir / "work").string();
  const struct overlay {
    fs::path at;
    ~overlay() { CHECK(run({"umount", at}).code == 0); }
  } end{f.to};
  out_of({"mount", "-t", "overlay", "overlay", "-o", layers, f.to});
  mount_fixture mount{f.options(still)};
  mount.expect_log(still_says);
  rescan(mount.mountpoint());
  const auto reader = open_at(mount / "day/a.jpg", O_RDONLY), writer = open_at(mount / "day/a.jpg", O_RDWR);
  REQUIRE(::pwrite(writer.get(), "changed", 7, 0) == 7);
  CHECK((read_file(mount / "day/a.jpg") == "changed" + noise(size, 1).substr(7)));
  CHECK(read_file(f.to / "day/a.jpg").substr(0, 7) == "changed");
}

TEST_CASE("what is not passed through is read ahead by a request's size", "[passthrough]") {
  if (::geteuid() != 0) return;
  two_ways w;
  struct stat st {};
  REQUIRE(::stat((w / "a.jpg").c_str(), &st) == 0);
  CHECK(read_file(w / "a.jpg").size() == size);
  CHECK(read_file("/sys/class/bdi/" + std::to_string(major(st.st_dev)) + ":" + std::to_string(minor(st.st_dev)) +
                  "/read_ahead_kb") == "1024\n");
}
