#include <sys/mount.h>
#include <unistd.h>

#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;

// A disk of a few megabytes, as root can make one.
struct small_disk {
  temp_dir dir{"small"};
  explicit small_disk(const char* size) {
    if (::geteuid() != 0) skip("only root can mount a tmpfs to fill");
    if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, size) != 0) skip("a tmpfs cannot be mounted here");
  }
};

// As archive_fixture, on that disk.
struct full_disk_fixture {
  small_disk disk{"size=4m"};
  fake_archive source;
  taken_destination where{disk.dir.path()};
  index::writer writer{where.index_path()};
  index::readers readers{where.index_path()};
  remote::limiter limit;
  remote::fetcher fetch{where, source, writer, readers, limit};
  ~full_disk_fixture() { source.stop(); }

  inode gap(const std::string& name, std::size_t size) {
    source.put_file(name, content_of(size));
    entry e;
    e.parent = root_inode, e.name = name, e.source = side{S_IFREG | 0644, size, long_ago * second};
    return writer.run([&](index::transaction& t) { return t.insert(e); });
  }
  entry row(const std::string& name) { return readers.borrow()->at(name).value(); }
  waiting get(const std::string& name) {
    waiting w;
    fetch.fetch(row(name), name, remote::lane::background, w.done());
    return w;
  }
};

TEST_CASE("a full disk fails the picture that did not fit, leaves nothing of it, and takes the next that fits") {
  full_disk_fixture f;
  const inode large = f.gap("large.jpg", 8U << 20);
  f.gap("small.jpg", 1000);
  waiting reader;
  f.fetch.want(large, 0, 8U << 20, reader.waiter());
  CHECK(reader.failed() == cause::local_error);
  const auto why = std::get<remote::failure>(reader.get()).text;
  CHECK_THAT(why, contains_text("large.jpg"));
  CHECK_THAT(why, contains_text("No space left"));
  f.fetch.drain();
  CHECK(f.row("large.jpg").state == state::missing);
  CHECK_FALSE(std::filesystem::exists(f.disk.dir / "large.jpg"));
  CHECK_FALSE(f.where.has_partials());

  // The space comes back as soon as the last who held the partial file has let it go.
  CHECK(wait_until([&] { return f.get("small.jpg").became_local(); }));
  CHECK(read_file(f.disk.dir / "small.jpg") == content_of(1000));
}

TEST_CASE("a background picture that does not fit is told as the disk's fault") {
  full_disk_fixture f;
  f.gap("large.jpg", 8U << 20);
  CHECK(f.get("large.jpg").failed() == cause::local_error);
  f.fetch.drain();
  CHECK(f.row("large.jpg").state == state::missing);
  CHECK(f.row("large.jpg").attempts == 0);
}

}  // namespace
}  // namespace ferryfs::test
