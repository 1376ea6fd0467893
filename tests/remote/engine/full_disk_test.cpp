#include "remote/engine/replicate/replicator.hpp"
#include "tests/remote/engine/small_disk.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;

// As archive_fixture, on a disk of its own.
struct full_disk_fixture {
  small_disk disk;
  fake_archive source;
  taken_destination where{disk.dir.path()};
  index::writer writer{where.index_path()};
  index::readers readers{where.index_path()};
  remote::limiter limit;
  std::uint64_t free = where.free_bytes();
  remote::fetcher fetch;
  // `room`: bytes that may be filled, if not all.
  explicit full_disk_fixture(const char* size = "size=4m", std::uint64_t room = 0)
      : disk(size), fetch(where, source, writer, readers, limit, room == 0 ? 0 : free - room) {}
  ~full_disk_fixture() { source.stop(); }

  inode gap(const std::string& name, std::size_t size) {
    source.put_file(name, content_of(size));
    entry e;
    e.parent = root_inode, e.name = name, e.source = file_facts{S_IFREG | 0644, size, long_ago * second};
    return writer.run([&](index::transaction& t) { return t.insert(e); });
  }
  entry row(const std::string& name) { return readers.borrow()->at(name).value(); }
  waiting get(const std::string& name) {
    waiting w;
    fetch.fetch(row(name), name, remote::priority::background, w.done());
    return w;
  }
};

TEST_CASE("a full disk fails the picture that did not fit, leaves nothing of it, and takes the next that fits") {
  full_disk_fixture f;
  f.gap("large.jpg", 8U << 20);
  f.gap("small.jpg", 1000);
  const auto w = f.get("large.jpg");
  CHECK(w.failed() == cause::no_room);
  const auto why = std::get<remote::failure>(w.get()).text;
  CHECK_THAT(why, contains_text("large.jpg"));
  CHECK_THAT(why, contains_text("No space left"));
  f.fetch.drain();
  CHECK(f.row("large.jpg").state == state::missing);
  CHECK(f.row("large.jpg").attempts == 0);
  CHECK_FALSE(std::filesystem::exists(f.disk.dir / "large.jpg"));
  CHECK_FALSE(f.where.has_partials());

  // The space comes back as soon as the last who held the partial file has let it go.
  CHECK(wait_until([&] { return f.get("small.jpg").became_local(); }));
  CHECK(read_file(f.disk.dir / "small.jpg") == content_of(1000));
}

TEST_CASE("a picture that does not fit is read all the same, and not kept") {
  full_disk_fixture f;
  const std::string content = content_of(8U << 20);
  const inode large = f.gap("large.jpg", 8U << 20);
  std::vector<waiting> readers(9);
  for (std::size_t i = 0; i < readers.size(); ++i) f.fetch.await_range(large, i << 20, 1U << 20, readers[i].callback());
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(readers[i].is_direct());
    CHECK((readers[i].bytes(i << 20, 1U << 20) == content.substr(i << 20, 1U << 20)));
  }
  CHECK(readers[8].bytes(8U << 20, 1U << 20).empty());  // behind its end
  f.fetch.drain();
  CHECK(f.row("large.jpg").state == state::missing);
  CHECK_FALSE(f.where.has_partials());
  CHECK(f.fetch.direct_read_count() == 8);
  CHECK(f.fetch.direct_read_bytes() == 8U << 20);
  // A writer needs all of it.
  waiting writer;
  f.fetch.fetch(f.row("large.jpg"), "large.jpg", remote::priority::demand, writer.done());
  CHECK(writer.failed() == cause::no_room);
}

TEST_CASE("a picture that the disk turns out to have no room for is read to its end without it") {
  full_disk_fixture f;
  const std::string content = content_of(3U << 20);
  const inode ino = f.gap("a.jpg", 3U << 20);
  f.source.hold_reads();
  waiting early, late;
  f.fetch.await_range(ino, 0, 1000, early.callback());
  f.source.answer("a.jpg", 0, 1U << 20);
  CHECK_FALSE(early.is_direct());
  write_file(f.disk.dir / "somebody's", std::string(2U << 20, 'x'));
  f.fetch.await_range(ino, 2U << 20, 1000, late.callback());
  f.source.answer("a.jpg", 1U << 20, 2U << 20);
  REQUIRE(wait_until([&] { return f.source.reads_of("a.jpg") == 2; }));
  f.source.finish_all("a.jpg");
  CHECK(late.is_direct());
  CHECK((late.bytes(2U << 20, 1000) == content.substr(2U << 20, 1000)));
}

TEST_CASE("bytes that are not kept are of the picture that the index knows, or fail as those of a changed one") {
  full_disk_fixture f;
  const inode ino = f.gap("a.jpg", 8U << 20);
  f.source.hold_reads();
  waiting w;
  f.fetch.await_range(ino, 0, 1000, w.callback());
  REQUIRE(f.source.awaits("a.jpg"));
  f.source.put_file("a.jpg", content_of(8U << 20), long_ago + 1);
  f.source.serve("a.jpg");
  CHECK(w.failed() == cause::changed);
  CHECK(f.row("a.jpg").source->mtime == (long_ago + 1) * second);
}

TEST_CASE("readers leave the space that is to stay free, and what one began and left makes room for the next") {
  full_disk_fixture f{"size=16m", 3'000'000};
  f.source.hold_reads();
  const inode a = f.gap("a.jpg", 2'000'000), b = f.gap("b.jpg", 2'000'000), c = f.gap("c.jpg", 2'000'000);
  bool open = true;
  f.fetch.watch({[](inode) { return false; }, [](inode) {}, [] { return std::size_t{0}; },
                 [&](inode ino) { return ino == a && open; }});
  waiting of_a, of_b, of_c;
  f.fetch.await_range(a, 0, 1000, of_a.callback());
  f.source.answer("a.jpg", 0, 100'000);
  CHECK_FALSE(of_a.is_direct());
  // Fetches in flight are counted.
  f.fetch.await_range(b, 0, 1000, of_b.callback());
  f.source.serve("b.jpg");
  CHECK(of_b.is_direct());
  CHECK(f.fetch.is_fetching(a));

  open = false;  // its reader has gone
  waiting again;
  f.fetch.await_range(b, 0, 1000, again.callback());
  f.source.serve("b.jpg");
  CHECK(again.is_direct());
  CHECK(f.source.ask("a.jpg").what == remote::next_step::done);
  f.source.finish("a.jpg");
  REQUIRE(wait_until([&] { return !f.fetch.is_fetching(a); }));
  CHECK_FALSE(f.where.has_partials());
  CHECK(f.row("a.jpg").state == state::missing);
  f.fetch.await_range(c, 0, 1000, of_c.callback());
  f.source.serve("c.jpg");
  CHECK_FALSE(of_c.is_direct());
  f.fetch.drain();
  CHECK(f.row("c.jpg").state == state::common);
}

TEST_CASE("a picture whose size nobody tells leaves the space that is to stay free") {
  full_disk_fixture f{"size=16m", 3'000'000};
  f.source.tell_sizes(fake_archive::sizes::unknown);
  const auto unsized = [&](const char* name, std::size_t size) {
    const inode ino = f.gap(name, size);
    f.writer.run([&](index::transaction& t) {
      const entry before = *t.by_inode(ino);
      entry after = before;
      after.source->size = 0;
      t.update(before, after);
    });
    return ino;
  };
  unsized("fits.jpg", 1'000'000), unsized("large.jpg", 5'000'000);
  const auto large = f.get("large.jpg");
  CHECK(large.failed() == cause::no_room);
  CHECK_THAT(std::get<remote::failure>(large.get()).text, contains_text("--min-free"));
  CHECK(wait_until([&] { return !f.where.has_partials() && f.where.free_bytes() > f.free - 1'000'000; }));
  CHECK(f.get("fits.jpg").became_local());
}

TEST_CASE("one picture that is larger than the free disk holds up no other, and is counted") {
  full_disk_fixture f{"size=16m", 5'000'000};
  f.gap("a.jpg", 1000), f.gap("large.mp4", 8'000'000), f.gap("b.jpg", 1000);
  f.writer.run([](index::transaction& t) {
    entry e;
    e.parent = root_inode, e.name = "vast.mp4",
    e.source = file_facts{S_IFREG | 0644, remote::largest_size, long_ago * second};
    t.insert(e);
  });
  remote::replicator replicate{{f.where, f.source, f.writer, f.readers, f.fetch}, f.free - 5'000'000};
  std::atomic<bool> idle = false;
  replicate.when_idle([&] { idle = true; });
  replicate.resume();
  CHECK(wait_until([&] { return f.row("a.jpg").is_local() && f.row("b.jpg").is_local(); }));
  CHECK(wait_until([&] { return replicate.waiting().files == 1 && !replicate.blocked_by().empty(); }));
  CHECK(replicate.waiting().bytes == 8'000'000);
  CHECK_THAT(replicate.blocked_by(), contains_text("--min-free"));
  CHECK(wait_until([&] { return idle.load(); }));
  CHECK(wait_until([&] { return f.row("vast.mp4").state == state::failed; }));
  CHECK_THAT(f.row("vast.mp4").error, contains_text("whole disk"));
  CHECK(f.source.reads_of("large.mp4") + f.source.reads_of("vast.mp4") == 0);
  replicate.pause();
}

}  // namespace
}  // namespace ferryfs::test
