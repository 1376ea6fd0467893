// How a picture becomes a file of the destination.
#include "remote/engine/fetch/committer.hpp"

#include <openssl/sha.h>

#include <array>

#include "index/update/fetch_result.hpp"
#include "index/update/local_change.hpp"
#include "remote/engine/scan/destination_scan.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::failure;

std::string sha256_of(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return {digest.begin(), digest.end()};
}

struct stat stat_of(const std::filesystem::path& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st;
}

TEST_CASE("a picture that landed has its content, time and mode, and the index its digest") {
  fetch_fixture f;
  const std::string content = content_of(100'000);
  const inode ino = f.gap("2013/07/15/a.jpg", content, long_ago, 0640);
  const auto w = f.background("2013/07/15/a.jpg");
  f.source.serve("2013/07/15/a.jpg");
  CHECK(w.became_local());
  const auto st = stat_of(f.on_disk("2013/07/15/a.jpg"));
  CHECK(read_file(f.on_disk("2013/07/15/a.jpg")) == content);
  CHECK(st.st_mtim.tv_sec == long_ago);
  CHECK(st.st_mtim.tv_nsec == 0);
  CHECK((st.st_mode & 07777) == 0640);
  CHECK(st.st_uid == f.where.uid());

  const entry e = f.row("2013/07/15/a.jpg");
  CHECK(e.ino == ino);
  CHECK(e.state == state::common);
  CHECK(e.fetched);
  CHECK(e.local == e.source);
  CHECK(e.sha256 == sha256_of(content));
  CHECK_FALSE(f.partials_left());
}

TEST_CASE("what is wished for of a picture while it is on its way, it has when it lands") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", "content", long_ago, 0644);
  const auto w = f.background("a.jpg");
  REQUIRE(wait_until([&] { return f.source.awaits("a.jpg"); }));
  {
    const std::shared_lock names{f.where.namespace_lock()};
    CHECK(f.writer.run([&](index::transaction& t) {
      return index::apply_deferred_attributes(t, ino, {0600, {}, {}, 77 * second}, 99 * second);
    }));
    ++f.where.namespace_version();
  }
  f.source.serve("a.jpg");
  CHECK(w.became_local());
  const auto st = stat_of(f.on_disk("a.jpg"));
  CHECK((st.st_mode & 07777) == 0600);
  CHECK(st.st_mtim.tv_sec == 77);
  CHECK(f.row("a.jpg").shown() == file_facts{S_IFREG | 0600, 7, 77 * second});
  CHECK(f.row("a.jpg").local == f.row("a.jpg").shown());
}

TEST_CASE("the directories above a picture that landed are here, as the index says") {
  fetch_fixture f;
  f.gap("2013/07/a.jpg", "x");
  const auto w = f.background("2013/07/a.jpg");
  f.source.serve("2013/07/a.jpg");
  REQUIRE(w.became_local());
  for (const char* path : {"2013", "2013/07"}) {
    CHECK(std::filesystem::is_directory(f.on_disk(path)));
    CHECK(f.row(path).state == state::common);
    CHECK(f.row(path).shown() == *f.row(path).source);
  }
}

TEST_CASE("a picture that came in pieces from behind has the right content and digest") {
  fetch_fixture f;
  const std::string content = content_of(3'000'000);
  const inode ino = f.gap("a.jpg", content);
  const auto w = f.await_range(ino, 2'900'000, 100);
  std::vector<remote::range> parts;
  for (auto next = f.source.ask("a.jpg", 77'777); next.what == remote::next_step::more;
       next = f.source.ask("a.jpg", 77'777))
    parts.push_back(next.part);
  for (auto p = parts.rbegin(); p != parts.rend(); ++p) f.source.answer("a.jpg", p->offset, p->length);
  f.source.finish("a.jpg");
  CHECK(w.bytes(2'900'000, 100) == content.substr(2'900'000, 100));
  f.fetch.drain();
  CHECK(read_file(f.on_disk("a.jpg")) == content);
  CHECK(f.row("a.jpg").sha256 == sha256_of(content));
}

TEST_CASE("an empty picture lands") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", "");
  const auto reader = f.await_range(ino, 0, 4096);
  f.source.serve("a.jpg");
  CHECK_FALSE(reader.failed());
  f.fetch.drain();
  CHECK(f.row("a.jpg").state == state::common);
  CHECK(f.row("a.jpg").sha256 == sha256_of(""));
  CHECK(read_file(f.on_disk("a.jpg")).empty());
}

TEST_CASE("pictures with names of any bytes land under them") {
  fetch_fixture f;
  const std::string odd = "\xff\n *'\"", longest(255, '\xfe');
  for (const auto& name : {odd, longest, "d/" + longest}) {
    f.gap(name, content_of(10));
    const auto w = f.background(name);
    f.source.serve(name);
    CHECK(w.became_local());
    CHECK(read_file(f.on_disk(name)) == content_of(10));
  }
}

TEST_CASE("many pictures land together, each whole") {
  fetch_fixture f;
  std::vector<std::pair<std::string, waiting>> all;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::string path = fmt::format("{}/{}.jpg", i % 7, i);
    f.gap(path, content_of(1000 + i));
    all.emplace_back(path, f.background(path));
  }
  for (const auto& [path, w] : all) f.source.serve(path);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].second.became_local());
    CHECK(read_file(f.on_disk(all[i].first)) == content_of(1000 + i));
  }
  CHECK(f.readers.borrow()->totals().of(state::missing).files == 0);
  CHECK_FALSE(f.partials_left());
}

TEST_CASE("a picture's reader may go on reading from its partial file while it lands") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(1000));
  const auto early = f.await_range(ino, 0, 10);
  f.source.answer_all("a.jpg");
  early.get();
  f.source.finish("a.jpg");
  f.fetch.drain();
  CHECK(early.bytes(500, 500) == content_of(1000).substr(500));
}

TEST_CASE("a file that came to stand under the name meanwhile is never overwritten") {
  fetch_fixture f;
  f.gap("d/a.jpg", content_of(100));
  const auto w = f.background("d/a.jpg");
  f.source.answer_all("d/a.jpg");
  SECTION("and is a conflict where it is another") {
    write_file(f.on_disk("d/a.jpg"), "mine");
    f.source.finish("d/a.jpg");
    CHECK(w.failed() == cause::changed);
    f.writer.run([](index::transaction&) {});
    CHECK(read_file(f.on_disk("d/a.jpg")) == "mine");
    CHECK(f.row("d/a.jpg").state == state::conflict);
    CHECK(f.row("d/a.jpg").local->size == 4);
    CHECK(f.row("d/a.jpg").source->size == 100);
  }
  SECTION("and is common where it has the same size") {
    write_file(f.on_disk("d/a.jpg"), std::string(100, 'm'));
    f.source.finish("d/a.jpg");
    CHECK(w.failed());
    f.writer.run([](index::transaction&) {});
    CHECK(read_file(f.on_disk("d/a.jpg")) == std::string(100, 'm'));
    CHECK(f.row("d/a.jpg").state == state::common);
    CHECK_FALSE(f.row("d/a.jpg").fetched);
  }
  SECTION("nor is a directory") {
    std::filesystem::create_directories(f.on_disk("d/a.jpg"));
    f.source.finish("d/a.jpg");
    CHECK(w.failed());
    f.writer.run([](index::transaction&) {});
    CHECK(std::filesystem::is_directory(f.on_disk("d/a.jpg")));
    CHECK(f.row("d/a.jpg").state == state::conflict);
  }
  SECTION("nor is a link followed") {
    std::filesystem::create_directories(f.on_disk("d"));
    write_file(f.dir / "outside", "untouched");
    std::filesystem::create_symlink(f.dir / "outside", f.on_disk("d/a.jpg"));
    f.source.finish("d/a.jpg");
    CHECK(w.failed());
    CHECK(read_file(f.dir / "outside") == "untouched");
    CHECK(std::filesystem::is_symlink(f.on_disk("d/a.jpg")));
  }
  f.fetch.drain();
  CHECK_FALSE(f.partials_left());
}

TEST_CASE("a copy that was fetched before the source changed is replaced") {
  fetch_fixture f;
  f.gap("a.jpg", content_of(100), long_ago + 50);
  f.outdated_copy("a.jpg", "old", long_ago);
  REQUIRE(f.row("a.jpg").state == state::missing);
  const auto w = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(w.became_local());
  CHECK(read_file(f.on_disk("a.jpg")) == content_of(100));
  CHECK(f.row("a.jpg").state == state::common);
}

TEST_CASE("a fetched copy that somebody has changed since is his, and stays") {
  fetch_fixture f;
  f.gap("a.jpg", content_of(100), long_ago + 50);
  f.outdated_copy("a.jpg", "old", long_ago);
  const auto w = f.background("a.jpg");
  f.source.answer_all("a.jpg");
  write_file(f.on_disk("a.jpg"), "his");
  f.source.finish("a.jpg");
  CHECK(w.failed());
  f.writer.run([](index::transaction&) {});
  CHECK(read_file(f.on_disk("a.jpg")) == "his");
  CHECK(f.row("a.jpg").state == state::conflict);
}

TEST_CASE("a picture of a time that the destination can't hold, or of before 1970, lands, and stays common") {
  fetch_fixture f{std::chrono::seconds{0}};
  const std::int64_t year = 31'556'952;
  const std::int64_t mtime = GENERATE_COPY(-369 * year, -85 * year, -1, 476 * year, INT64_MAX, INT64_MIN);
  f.gap("a.jpg", content_of(1000), mtime);
  const auto w = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(w.became_local());
  const auto check = [&] {
    CHECK(f.row("a.jpg").state == state::common);
    CHECK(f.row("a.jpg").fetched);
    CHECK(f.row("a.jpg").source == f.row("a.jpg").local);
    CHECK(f.row("a.jpg").local == f.where.look("a.jpg")->attributes);
  };
  check();
  remote::directory_cache marks;
  remote::scan_destination(f.where, f.writer, f.readers, {}, marks);
  f.writer.run([](index::transaction&) {});
  check();
}

TEST_CASE("a picture whose time the destination rounds is not fetched for ever") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(10), long_ago + 1);
  const auto row = f.row("a.jpg");
  f.writer.run([&](index::transaction& t) {
    index::apply_arrival(t, {ino, row.parent, row.name, {S_IFREG | 0644, 10, long_ago * second}, "x", *row.source});
  });
  CHECK(f.row("a.jpg").state == state::common);
}

TEST_CASE("runs of zeros become holes, and are zeros to whoever reads them while they come") {
  fetch_fixture f;
  std::string content = content_of(3'000'000);
  const auto zeros = [&](std::size_t from, std::size_t length) { content.replace(from, length, length, '\0'); };
  zeros(100'000, 1'500'000), zeros(2'500'000, 500'000);
  const inode ino = f.gap("a.img", content);
  const auto middle = f.await_range(ino, 900'000, 4096);
  const std::uint32_t step = GENERATE(1U << 20, 261'120U, 5'000U);
  f.source.answer_all("a.img", step);
  CHECK(middle.bytes(900'000, 4096) == std::string(4096, '\0'));
  f.source.finish("a.img");
  f.fetch.drain();
  CHECK((read_file(f.on_disk("a.img")) == content));
  CHECK(f.row("a.img").sha256 == sha256_of(content));
  CHECK(stat_of(f.on_disk("a.img")).st_blocks * 512 < 1'200'000);
  CHECK(f.row("a.img").state == state::common);
}

TEST_CASE("a picture of nothing but zeros has its size") {
  fetch_fixture f;
  for (const std::size_t size : {1UL, 4095UL, 4096UL, 100'000UL}) {
    const auto name = std::to_string(size);
    f.gap(name, std::string(size, '\0'));
    const auto w = f.background(name);
    f.source.serve(name);
    REQUIRE(w.became_local());
    CHECK(read_file(f.on_disk(name)) == std::string(size, '\0'));
    CHECK(f.row(name).sha256 == sha256_of(std::string(size, '\0')));
  }
}

TEST_CASE("an outdated copy that is open for writing stays, and is a conflict from then on") {
  fetch_fixture f;
  f.fetch.watch({[&](inode ino) { return ino == f.row("a.jpg").ino; }});
  const std::string content = GENERATE(std::string("newer"), std::string("of the same size"));
  f.gap("a.jpg", content, long_ago + 50);
  f.outdated_copy("a.jpg", "of the same size", long_ago);
  REQUIRE(f.row("a.jpg").state == state::missing);
  const auto w = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(w.failed() == cause::changed);
  // The index has it by the time of the callback.
  CHECK(f.row("a.jpg").state == state::conflict);
  CHECK(f.row("a.jpg").shown() == file_facts{S_IFREG | 0644, 16, long_ago * second});
  CHECK(read_file(f.on_disk("a.jpg")) == "of the same size");
  f.fetch.drain();
  CHECK_FALSE(f.partials_left());
  f.writer.run(
      [&](index::transaction& t) { index::apply_source_attributes(t, f.row("a.jpg").ino, *f.row("a.jpg").source); });
  CHECK(f.row("a.jpg").state == state::conflict);
}

TEST_CASE("no picture lands through a symbolic link in the destination") {
  fetch_fixture f;
  const temp_dir outside;
  std::filesystem::create_directory_symlink(outside.path(), f.on_disk("d"));
  f.gap("d/a.jpg", content_of(100));
  f.gap("d/sub/b.jpg", content_of(100));
  for (const char* path : {"d/a.jpg", "d/sub/b.jpg"}) {
    const auto w = f.background(path);
    f.source.serve(path);
    CHECK(w.failed());
    CHECK_FALSE(f.row(path).is_local());
  }
  f.fetch.drain();
  CHECK(std::filesystem::is_empty(outside.path()));
  CHECK_FALSE(f.partials_left());
}

TEST_CASE("a picture lands although its directory was removed after others landed there") {
  fetch_fixture f;
  f.gap("d/a.jpg", content_of(10)), f.gap("d/b.jpg", content_of(20));
  const auto first = f.background("d/a.jpg");
  f.source.serve("d/a.jpg");
  REQUIRE(first.became_local());
  std::filesystem::remove_all(f.on_disk("d"));
  const auto w = f.background("d/b.jpg");
  f.source.serve("d/b.jpg");
  CHECK(w.became_local());
  CHECK(read_file(f.on_disk("d/b.jpg")) == content_of(20));
}

}  // namespace
}  // namespace ferryfs::test
