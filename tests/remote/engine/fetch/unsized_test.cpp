// Sizes that a server does not tell, or tells wrongly: what counts is where its bytes end.
#include "remote/source/digest/read_back.hpp"
#include "tests/remote/fetch_fixture.hpp"

#include <future>

#include "remote/files/sha256.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::reading;
using sizes = fake_archive::sizes;

std::string sha256_of(const std::string& content) {
  remote::sha256 hash;
  hash.add(std::as_bytes(std::span(content)));
  return hash.result();
}

struct unsized_fixture : fetch_fixture {
  // A gap of which a listing told no size.
  inode unsized(const std::string& path, const std::string& content) {
    const inode ino = gap(path, content);
    edit(ino, [](entry& e) { e.source->size = 0; });
    return ino;
  }
};

}  // namespace

TEST_CASE("a picture whose size nobody tells is read to its end, and known from then on") {
  unsized_fixture f;
  f.source.tell_sizes(GENERATE(sizes::unknown, sizes::zero));
  const std::string content = content_of(GENERATE(1, 1000, 4096, 300'000));
  const inode ino = f.unsized("a.jpg", content);
  CHECK(f.row("a.jpg").is_unsized());
  const auto w = f.background("a.jpg");
  f.source.answer_all("a.jpg", 1000);
  f.source.finish("a.jpg");
  CHECK(w.became_local());
  const entry row = f.row("a.jpg");
  CHECK(read_file(f.on_disk("a.jpg")) == content);
  CHECK(row.state == state::common);
  CHECK(row.source->size == content.size());
  CHECK(row.local->size == content.size());
  CHECK(row.sha256 == sha256_of(content));
  CHECK(row.ino == ino);
  CHECK(f.source.reads_of("a.jpg") == 1);
}

TEST_CASE("an empty picture lands as one where its bytes and every word say so") {
  unsized_fixture f;
  f.source.tell_sizes(GENERATE(sizes::right, sizes::unknown));
  f.unsized("a.jpg", "");
  const auto w = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(w.became_local());
  CHECK(f.row("a.jpg").state == state::common);
}

TEST_CASE("a size of 0 from the open file counts for nothing beside that of the listing") {
  unsized_fixture f;
  f.source.tell_sizes(sizes::zero_but_listed);
  const std::string content = content_of(3000);
  f.gap("a.jpg", content);
  const auto w = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(w.became_local());
  CHECK(read_file(f.on_disk("a.jpg")) == content);
  CHECK(f.row("a.jpg").state == state::common);
}

TEST_CASE("where a listing alone is wrong, the picture is brought as the open file shows it") {
  unsized_fixture f;
  const std::string content = content_of(3000);
  const inode ino = f.gap("a.jpg", content);
  const std::uint64_t wrong = GENERATE(10U, 2999U, 3001U, 100'000U);
  f.edit(ino, [&](entry& e) { e.source->size = wrong; });
  const auto w = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(w.failed() == cause::changed);  // and the index has learnt it
  CHECK(f.row("a.jpg").source->size == 3000);
  const auto again = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(again.became_local());
  CHECK(read_file(f.on_disk("a.jpg")) == content);
}

TEST_CASE("a picture that goes on behind the size that all tell is no picture of that size") {
  unsized_fixture f;
  const std::string content = content_of(3000);
  const inode ino = f.gap("a.jpg", content);
  f.edit(ino, [](entry& e) { e.source->size = 1000; });
  f.source.tell_size("a.jpg", 1000, false);
  const auto w = f.background("a.jpg");
  const auto all = f.source.ask("a.jpg");
  CHECK(all.part.length == 1001);
  CHECK(f.source.ask("a.jpg").what == remote::next_step::done);
  f.source.answer("a.jpg", 0, 1001);
  f.source.finish("a.jpg");
  f.source.serve("a.jpg");  // where it ends
  CHECK(w.failed() == cause::source_error);
  CHECK_FALSE(f.partials_left());
  CHECK_FALSE(std::filesystem::exists(f.on_disk("a.jpg")));
  CHECK(f.row("a.jpg").state == state::failed);
  CHECK_THAT(f.row("a.jpg").error, contains_text("3000 bytes"));
}

TEST_CASE("a server whose bytes end before the size that it tells replaces no good copy") {
  unsized_fixture f;
  const std::string good = content_of(3000);
  const inode ino = f.gap("a.jpg", good.substr(0, GENERATE(0, 1000)));
  f.edit(ino, [](entry& e) { e.source->size = 3000, e.source->mtime += second; });
  f.source.put_file("a.jpg", f.source.content("a.jpg").value(), long_ago + 1);
  f.outdated_copy("a.jpg", good, long_ago);
  f.source.tell_size("a.jpg", GENERATE(3000, 0), false);
  const auto w = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(w.failed() == cause::source_error);
  CHECK(read_file(f.on_disk("a.jpg")) == good);
  CHECK_FALSE(f.partials_left());
}

TEST_CASE("a reader of a picture without a size gets its bytes as they come, and finds its end") {
  unsized_fixture f;
  f.source.tell_sizes(sizes::unknown);
  const std::string content = content_of(5000);
  const inode ino = f.unsized("a.jpg", content);
  const auto front = f.await_range(ino, 0, 4096), over_end = f.await_range(ino, 4096, 4096),
             beyond = f.await_range(ino, 9000, 4096);
  f.source.answer_all("a.jpg", 1024);
  CHECK(front.bytes(0, 4096) == content.substr(0, 4096));
  CHECK(over_end.bytes(4096, 4096) == content.substr(4096));
  CHECK(beyond.bytes(9000, 4096).empty());
  f.source.finish("a.jpg");
  f.fetch.drain();
  CHECK(read_file(f.on_disk("a.jpg")) == content);
}

TEST_CASE("a lost connection in the middle of a picture without a size costs nothing that came") {
  unsized_fixture f;
  f.source.tell_sizes(sizes::unknown);
  const std::string content = content_of(5000);
  const inode ino = f.unsized("a.jpg", content);
  const auto reader = f.await_range(ino, 0, 5000);
  const auto first = f.source.ask("a.jpg", 1024);
  f.source.answer("a.jpg", first.part.offset, first.part.length);
  f.source.finish("a.jpg", remote::failure{cause::unreachable, "reset by peer"});
  f.source.answer_all("a.jpg", 1024);
  f.source.finish("a.jpg");
  CHECK(reader.bytes(0, 5000) == content);
  f.fetch.drain();
  CHECK(read_file(f.on_disk("a.jpg")) == content);
}

TEST_CASE("what is not kept for want of room is read to its end as well") {
  archive_fixture f;
  f.source.tell_sizes(sizes::unknown);
  const std::string content = content_of(5000);
  const inode ino = f.gap("a.jpg", content);
  f.edit(ino, [](entry& e) { e.source->size = 0; });
  remote::fetcher fetch{f.where, f.source, f.writer, f.readers, f.limit, std::uint64_t{1} << 60};
  for (const auto& [offset, length] : {std::pair<std::size_t, std::size_t>{0, 4096}, {4096, 4096}, {8192, 4096}}) {
    waiting w;
    fetch.await_range(ino, offset, length, w.callback());
    CHECK(w.bytes(offset, length) == content.substr(std::min<std::size_t>(offset, 5000), length));
    CHECK(w.is_direct());
  }
  f.source.stop();
}

TEST_CASE("a digest is that of all bytes, whatever size is told") {
  fake_archive source;
  const std::string content = content_of(GENERATE(0, 1, 5000, 300'000));
  source.put_file("a.jpg", content);
  const auto how = GENERATE(sizes::right, sizes::unknown, sizes::zero);
  source.tell_sizes(how);
  std::promise<std::pair<std::optional<remote::failure>, std::string>> result;
  remote::digest_by_reading(source, "a.jpg", [&](const auto& why, const auto& d) { result.set_value({why, d}); });
  const auto [why, digest] = result.get_future().get();
  CHECK_FALSE(why);
  CHECK(digest == sha256_of(content));
}

TEST_CASE("a digest of bytes that do not end where the size says is none") {
  fake_archive source;
  source.put_file("a.jpg", content_of(5000));
  source.tell_size("a.jpg", GENERATE(4000, 6000), false);
  std::promise<std::optional<remote::failure>> result;
  remote::digest_by_reading(source, "a.jpg", [&](const auto& why, const auto&) { result.set_value(why); });
  CHECK(result.get_future().get().value().why == cause::changed);
}

}  // namespace ferryfs::test
