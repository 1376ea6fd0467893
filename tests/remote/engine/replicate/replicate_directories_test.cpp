// Gaps that need no bytes from the source: directories and symbolic links.
#include <cstdlib>

#include "remote/engine/replicate/replicator.hpp"
#include "remote/engine/scan/destination_scan.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

struct directories_fixture : archive_fixture {
  remote::fetcher fetch{where, source, writer, readers, limit};
  remote::replicator replicate{{where, source, writer, readers, fetch}, 0};
  ~directories_fixture() {
    replicate.pause();
    source.stop();
    fetch.drain();
  }

  void directory(const std::string& path, std::int64_t mtime, unsigned mode = 0755) {
    source.put_directory(path, mtime, mode);
    index_path(path);
  }
  void link(const std::string& path, const std::string& target) {
    source.put_link(path, target);
    edit(index_path(path), [&](entry& e) { e.target = target; });
  }
  struct stat look(const std::string& path) {
    struct stat st {};
    if (::lstat(on_disk(path).c_str(), &st) != 0) st.st_mode = 0;
    return st;
  }
  // Like the source's, in time and mode.
  bool is_like(const std::string& path, std::int64_t mtime, unsigned mode) {
    const auto st = look(path);
    return st.st_mtim.tv_sec == mtime && (st.st_mode & 07777) == mode;
  }
};

TEST_CASE("empty directories and symbolic links are made as the source has them") {
  directories_fixture f;
  f.directory("empty/below", long_ago);
  f.link("latest", "2013/07/15");
  f.link("2013/broken", "../no/where");
  f.edit(f.row("2013").ino, [](entry& e) { e.listed_mtime = long_ago; });  // or where `latest` leads is not known
  f.replicate.resume();
  REQUIRE(wait_until([&] { return f.readers.borrow()->totals().complete(); }));
  CHECK(S_ISDIR(f.look("empty/below").st_mode));
  CHECK(std::filesystem::read_symlink(f.on_disk("latest")) == "2013/07/15");
  CHECK(std::filesystem::read_symlink(f.on_disk("2013/broken")) == "../no/where");
  CHECK(f.look("latest").st_mtim.tv_sec == long_ago);
  for (const char* path : {"empty", "empty/below", "latest", "2013", "2013/broken"})
    CHECK(f.row(path).state == state::common);
  CHECK(f.source.reads().empty());
}

TEST_CASE("directories get the source's time and mode when all that is in them is here") {
  directories_fixture f;
  f.directory("d", long_ago - 100, 0750);
  f.directory("d/sub", long_ago - 200, 0555);
  f.gap("d/a.jpg", content_of(10));
  f.gap("d/sub/b.jpg", content_of(10));
  f.source.set_mtime("d", long_ago - 100);
  f.replicate.resume();
  CHECK(wait_until([&] { return f.is_like("d", long_ago - 100, 0750); }));
  CHECK(wait_until([&] { return f.is_like("d/sub", long_ago - 200, 0555); }));
  CHECK(read_file(f.on_disk("d/sub/b.jpg")) == content_of(10));
}

TEST_CASE("directories have their mode while they fill, and let their owner in") {
  directories_fixture f;
  f.directory("d", long_ago - 100, 0755);
  f.directory("d/sub", long_ago - 100, 0750);
  f.directory("d/sub/closed", long_ago - 100, 0555);
  f.directory("private", long_ago - 100, 0700);
  f.gap("d/sub/closed/a.jpg", content_of(10));
  f.source.hold_reads();
  f.replicate.resume();
  REQUIRE(f.source.awaits("d/sub/closed/a.jpg"));
  REQUIRE(wait_until([&] { return f.row("private").is_local() && f.row("d/sub/closed").is_local(); }));
  const auto mode = [&](const char* path) { return f.look(path).st_mode & 07777; };
  const auto check = [&](const char* path, mode_t on_disk, mode_t shown) {
    INFO(path);
    CHECK(mode(path) == on_disk);
    CHECK((f.row(path).shown().mode & 07777) == shown);
  };
  for (int i = 0; i < 2; ++i) {
    check("d", 0755, 0755);
    check("d/sub", 0750, 0750);
    check("d/sub/closed", 0755, 0555);
    check("private", 0700, 0700);
    remote::directory_cache none;
    remote::scan_destination(f.where, f.writer, f.readers, {}, none);
  }
  f.source.serve("d/sub/closed/a.jpg");
  CHECK(wait_until([&] { return f.is_like("d/sub/closed", long_ago - 100, 0555); }));
}

TEST_CASE("a reader's picture makes its directories with their modes") {
  directories_fixture f;
  f.directory("d", long_ago - 100, 0755);
  const inode ino = f.gap("d/a.jpg", content_of(10));
  waiting reader;
  f.fetch.await_range(ino, 0, 10, reader.callback());
  reader.get();
  f.fetch.drain();
  CHECK((f.look("d").st_mode & 07777) == 0755);
}

TEST_CASE("a mode that was given to a directory here stands, whatever a scan finds while it fills") {
  directories_fixture f;
  f.directory("d", long_ago - 100, 0755);
  f.gap("d/a.jpg", content_of(10));
  f.source.hold_reads();
  f.replicate.resume();
  REQUIRE(f.source.awaits("d/a.jpg"));
  REQUIRE(wait_until([&] { return f.row("d").is_local(); }));
  const auto set = [&](mode_t mode, mode_t on_disk) {
    REQUIRE(::chmod(f.on_disk("d").c_str(), on_disk) == 0);
    f.edit(f.row("d").ino, [&](entry& e) { e.local->mode = S_IFDIR | mode, e.changed = 1; });
    remote::directory_cache none;
    remote::scan_destination(f.where, f.writer, f.readers, {}, none);
    CHECK((f.row("d").shown().mode & 07777) == mode);
  };
  set(0700, 0700);
  set(0550, 0750);
}

TEST_CASE("a file that stands where a directory is to be made stays, and is a conflict") {
  directories_fixture f;
  f.directory("d", long_ago);
  f.directory("e", long_ago);
  write_file(f.on_disk("d"), "mine");
  f.replicate.resume();
  REQUIRE(wait_until([&] { return f.row("e").is_local(); }));
  REQUIRE(wait_until([&] { return f.row("d").state != state::missing; }));
  CHECK(f.row("d").state == state::conflict);
  CHECK(read_file(f.on_disk("d")) == "mine");
}

TEST_CASE("what stands where a symbolic link is to be made stays, and is a conflict") {
  directories_fixture f;
  f.link("latest", "2013");
  write_file(f.on_disk("latest"), "mine");
  f.replicate.resume();
  REQUIRE(wait_until([&] { return f.row("latest").state != state::missing; }));
  CHECK(f.row("latest").state == state::conflict);
  CHECK(read_file(f.on_disk("latest")) == "mine");
}

TEST_CASE("pictures below a link that stands for a directory here do not hold up the others") {
  directories_fixture f;
  const temp_dir elsewhere;
  std::filesystem::create_directory_symlink(elsewhere.path(), f.on_disk("moved"));
  f.gap("moved/a.jpg", content_of(10));
  f.gap("other/b.jpg", content_of(10));
  f.replicate.resume();
  CHECK(wait_until([&] { return f.row("other/b.jpg").is_local(); }));
  CHECK(f.replicate.blocked_by().empty());
  CHECK(std::filesystem::is_empty(elsewhere.path()));
}

}  // namespace
}  // namespace ferryfs::test
