// An exception on any of the engine's threads ends the item at work, whose callbacks get it, and nothing else.
#include <SQLiteCpp/Database.h>
#include <fcntl.h>
#include <unistd.h>

#include <future>
#include <type_traits>

#include "index/base/serial_executor.hpp"
#include "remote/engine/fetch/write_pool.hpp"
#include "remote/source/local/directory_archive.hpp"
#include "remote/source/server/sftp_archive.hpp"
#include "remote/source/sftp/packet.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/remote/migration_fixture.hpp"
#include "tests/remote/scan_fixture.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using remote::cause;
using remote::failure;

static_assert(std::is_base_of_v<std::exception, failure>);
static_assert(std::is_base_of_v<std::exception, remote::sftp::protocol_error>);

[[noreturn]] void fail() { throw std::runtime_error("thrown by the test"); }

// As fetch_fixture; each connection to the index fails while `protocol_error`.
struct broken_index_fixture : archive_fixture {
  std::atomic<bool> broken = false;
  index::readers failing{where.index_path(), [this] {
                           if (broken) fail();
                         }};
  remote::fetcher fetch{where, source, writer, failing, limit};

  broken_index_fixture() { source.hold_reads(); }
  ~broken_index_fixture() { source.stop(); }
  waiting get(const std::string& path) {
    waiting w;
    fetch.fetch(row(path), path, remote::priority::background, w.done());
    return w;
  }
};

TEST_CASE("a serial executor goes on after what throws") {
  std::promise<void> ran;
  {
    remote::serial_executor executor{"test"};
    executor.post([] { fail(); });
    executor.post([] { throw 1; });
    executor.post([&] { ran.set_value(); });
  }
  CHECK(ran.get_future().wait_for(0s) == std::future_status::ready);
}

TEST_CASE("a disk thread goes on after what throws, and its memory is counted as free") {
  constexpr std::uint64_t bytes = 4U << 20;
  std::atomic<int> ran = 0;
  {
    remote::write_pool d{1};
    for (int i = 0; i < 10; ++i)
      d.post(1, bytes, [&] {
        ++ran;
        throw 1;
      });
  }
  CHECK(ran == 10);
}

TEST_CASE("readers and callers that throw keep nobody else from being told") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", content_of(100'000));
  const auto throws = [](const auto&) { fail(); };
  f.fetch.await_range(ino, 0, 10, throws);
  const auto early = f.await_range(ino, 0, 10);
  f.fetch.await_range(ino, 99'990, 10, throws);
  const auto late = f.await_range(ino, 99'990, 10);
  f.fetch.fetch(f.row("a.jpg"), "a.jpg", remote::priority::background, throws);
  const auto landed = f.background("a.jpg");
  f.source.serve("a.jpg");
  CHECK(early.bytes(0, 10) == content_of(10));
  CHECK(late.bytes(99'990, 10).size() == 10);
  CHECK(landed.became_local());
  f.fetch.drain();
}

TEST_CASE("a fetch that the archive does not take has failed, for the background and for a reader") {
  fetch_fixture f;
  const inode ino = f.gap("a.jpg", "a");
  f.gap("b.jpg", "b");
  f.source.throw_at("a.jpg");
  CHECK(f.background("a.jpg").failed());
  CHECK(f.await_range(ino).failed());
  const auto next = f.background("b.jpg");
  f.source.serve("b.jpg");
  CHECK(next.became_local());
  f.fetch.drain();
}

TEST_CASE("a picture that cannot land for an error of the index has failed; it and others land when that is gone") {
  broken_index_fixture f;
  f.gap("a/1.jpg", "1");
  f.gap("b/2.jpg", "2");
  const auto first = f.get("a/1.jpg");
  f.source.answer_all("a/1.jpg");
  f.broken = true;
  f.source.finish("a/1.jpg");
  CHECK(first.failed());
  CHECK_THROWS(f.get("b/2.jpg"));
  f.broken = false;
  CHECK_FALSE(f.partials_left());
  for (const char* path : {"a/1.jpg", "b/2.jpg"}) {
    const auto w = f.get(path);
    f.source.serve(path);
    CHECK(w.became_local());
  }
}

TEST_CASE("replication goes round a gap that the archive does not take, and has an end") {
  migration_fixture f;
  for (const char* path : {"20130714/a.jpg", "20130715/b.jpg", "20130716/c.jpg"}) f.source->put_file(path, path);
  f.scan();
  f.source->throw_at("20130715/b.jpg");
  std::promise<void> idle;
  f.m.replicate().resume();
  REQUIRE(wait_until([&] { return f.of(state::common) == 2; }));
  f.m.replicate().when_idle([] { fail(); });
  f.m.replicate().when_idle([&] { idle.set_value(); });
  CHECK(idle.get_future().wait_for(20s) == std::future_status::ready);
}

TEST_CASE("a scan whose requests are not taken has failed, and the next is complete") {
  migration_fixture f;
  f.source->put_file("a/1.jpg", "1");
  f.source->put_file("b/2.jpg", "2");
  const std::string path = GENERATE("", "a");
  f.source->throw_at(path);
  std::promise<remote::source_scan::result> end, next;
  f.m.rescan([](const auto&) { fail(); });
  f.m.rescan([&](const auto& r) { end.set_value(r); });
  f.m.start({false, false});
  const auto failed = end.get_future().get();
  REQUIRE_FALSE(failed.complete());
  CHECK_THAT(failed.failures.front().text, contains_text("the fake throws"));
  f.source->mend(path);
  f.m.rescan([&](const auto& r) { next.set_value(r); });
  CHECK(next.get_future().get().complete());
  CHECK(f.row("a/1.jpg").is_gap());
}

TEST_CASE("whoever waits for a listing may throw, and what a scan is told of as well") {
  migration_fixture f;
  f.source->put_file("a/1.jpg", "1");
  f.m.on_scanned([](const auto&, bool, auto) { fail(); });
  f.source->fail("", cause::timeout, 0);
  std::promise<void> notified;
  f.m.start({false, false});
  try {
    f.m.when_listed(root_inode, [](const auto&) { fail(); });
  } catch (const std::runtime_error&) {  // the scan was over, and it was told on this thread
  }
  f.m.when_listed(root_inode, [&](const auto&) { notified.set_value(); });
  CHECK(notified.get_future().wait_for(20s) == std::future_status::ready);
  f.source->mend("");
  std::promise<bool> next;
  f.m.rescan([&](const auto& r) { next.set_value(r.complete()); });
  CHECK(next.get_future().get());
}

TEST_CASE("whoever waits for a listing may wait for a job of the index when told") {
  migration_fixture f;
  f.source->put_file("a/1.jpg", "1");
  std::promise<void> waits;
  f.m.index().post([go = waits.get_future().share()](index::transaction&) { go.wait(); });
  f.m.start({false, false});
  std::promise<bool> found;
  f.m.when_listed(root_inode, [&](const auto& why) {
    found.set_value(!why &&
                    f.m.index().run([](index::transaction& t) { return t.child(root_inode, "a").has_value(); }));
  });
  waits.set_value();
  auto answer = found.get_future();
  REQUIRE(answer.wait_for(20s) == std::future_status::ready);
  CHECK(answer.get());
}

// Overwrites the pages in which `rows` rows of the index stand, but not the first ones.
void damage(const std::string& path) {
  {
    SQLite::Database database{path, SQLite::OPEN_READWRITE};
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  const unique_fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  const std::string garbage(4096, '\x5a');
  for (off_t at = size / 4 / 4096 * 4096; at < size; at += 4096)
    REQUIRE(::pwrite(file.get(), garbage.data(), garbage.size(), at) == 4096);
}

TEST_CASE("with a damaged index a scan fails, and fails again, and nobody waits for ever") {
  const temp_dir dir{"destination"};
  fake_archive* source = nullptr;
  const auto open = [&](const remote::destination& where) {
    auto own = std::make_unique<fake_archive>();
    source = own.get();
    for (int i = 0; i < 3000; ++i) source->put_file(fmt::format("{}/{:08}.jpg", i / 100, i), "x");
    return std::make_unique<remote::migration>(remote::settings{}, where, std::move(own));
  };
  const auto scan = [](remote::migration& m) {
    auto end = std::make_shared<std::promise<bool>>();
    m.rescan([end](const auto& r) { end->set_value(r.complete()); });
    auto future = end->get_future();
    REQUIRE(future.wait_for(60s) == std::future_status::ready);
    return future.get();
  };
  {
    const taken_destination where{dir.path()};
    const auto m = open(where);
    m->start({false, false});
    CHECK(scan(*m));
    m->stop();
  }
  damage((dir / ".ferryfs/index.db").string());
  const taken_destination where{dir.path()};
  const auto m = open(where);
  m->start({true, false});
  CHECK_FALSE(scan(*m));
  CHECK_FALSE(scan(*m));
  std::promise<void> idle;
  m->replicate().when_idle([&] { idle.set_value(); });
  CHECK(idle.get_future().wait_for(60s) == std::future_status::ready);
  m->stop();
}

TEST_CASE("changes of the index that were lost are found again after a scan that threw") {
  migration_fixture f;
  f.source->throw_at("");
  std::promise<void> end;
  f.m.rescan([&](const auto&) { end.set_value(); });
  f.m.start({false, false});
  end.get_future().wait();
  f.put_here("upload.jpg", "new");
  f.m.index().drain();
  CHECK_THROWS(f.m.index().run_deferred([](index::transaction&) { fail(); }));
  CHECK(wait_until([&] { return f.at("upload.jpg").has_value(); }));
}

// A source in a directory, once as such and once behind an sshd.
struct two_archives {
  temp_dir dir{"source"};
  std::optional<sshd> server;
  std::unique_ptr<remote::archive> archive;

  explicit two_archives(bool over_ssh) {
    for (int i = 0; i < 10; ++i) write_file(dir / std::to_string(i), content_of(1000));
    if (over_ssh) {
      server.emplace();
      remote::ssh::target t;
      t.host = "127.0.0.1", t.port = server->port(), t.user = sshd::user(), t.path = dir.path().string();
      t.identities = {server->identity().string()}, t.known_hosts = {server->known_hosts().string()};
      archive = std::make_unique<remote::sftp::sftp_archive>(t, 1);
    } else {
      archive = std::make_unique<remote::directory_archive>(dir.path().string());
    }
  }
  std::optional<failure> look(const std::string& path) {
    std::promise<std::optional<failure>> notified;
    archive->stat(path, [&](const auto& why, const auto&) { notified.set_value(why); });
    return notified.get_future().get();
  }
};

// Throws where it is told to, and says how it ended.
struct throwing_reading final : remote::reading {
  enum class place { want, arrived, finished } where;
  std::string name = "1";
  std::promise<std::optional<failure>> ended;
  std::uint64_t asked = 0;
  explicit throwing_reading(place p) : where(p) {}
  const std::string& path() const override { return name; }
  next next_range(std::uint32_t at_most) override {
    if (where == place::want) fail();
    if (asked == 1000) return {remote::next_step::done, {}};
    const auto length = std::min<std::uint32_t>(at_most, static_cast<std::uint32_t>(1000 - asked));
    return {remote::next_step::more, {std::exchange(asked, asked + length), length}};
  }
  void arrived(std::uint64_t, std::span<const std::byte>) override {
    if (where == place::arrived) fail();
  }
  void finished(const std::optional<failure>& why, const remote::attributes&) override {
    ended.set_value(why);
    if (where == place::finished) fail();
  }
};

struct throwing_listing final : remote::listing {
  bool in_batch;
  std::promise<std::optional<failure>> ended;
  explicit throwing_listing(bool b) : in_batch(b) {}
  void batch(std::vector<remote::directory_entry>) override {
    if (in_batch) fail();
  }
  void refused(std::string, std::string) override {}
  void finished(const std::optional<failure>& why) override {
    ended.set_value(why);
    if (!in_batch) fail();
  }
};

TEST_CASE("who asks an archive may throw wherever he is called: his request has ended, once, and the others go on",
          "[sshd]") {
  two_archives a{GENERATE(false, true)};
  a.archive->stat("1", [](const auto&, const auto&) { fail(); });
  CHECK_FALSE(a.look("2"));
  a.archive->digest("1", [](const auto&, const auto&) { throw 1; });
  CHECK_FALSE(a.look("2"));
  using place = throwing_reading::place;
  for (const auto where : {place::want, place::arrived, place::finished}) {
    for (const auto how : {remote::priority::demand, remote::priority::background}) {
      const auto r = std::make_shared<throwing_reading>(where);
      auto ended = r->ended.get_future();
      a.archive->read(r, how);
      REQUIRE(ended.wait_for(20s) == std::future_status::ready);
      CHECK(ended.get().has_value() == (where != place::finished));
      CHECK_FALSE(a.look("2"));
    }
  }
  for (const bool in_batch : {true, false}) {
    const auto l = std::make_shared<throwing_listing>(in_batch);
    auto ended = l->ended.get_future();
    a.archive->list("", l);
    REQUIRE(ended.wait_for(20s) == std::future_status::ready);
    CHECK(ended.get().has_value() == in_batch);
    CHECK_FALSE(a.look("2"));
  }
  CHECK_FALSE((a.server && a.server->logins() > 2));  // one connection for files, one for digests
}

TEST_CASE("what is told of the source's health may throw, as may those whose requests its end has ended", "[sshd]") {
  two_archives a{true};
  std::atomic<int> notified = 0;
  a.archive->set_listener([&](const auto&) {
    ++notified;
    fail();
  });
  a.server->stop();
  REQUIRE(wait_until([&] {
    a.archive->stat("1", [](const auto&, const auto&) { fail(); });
    return notified > 0;
  }));
  a.server->start();
  REQUIRE(wait_until([&] { return notified > 1; }, 60s));
  CHECK_FALSE(a.look("2"));
}

}  // namespace
}  // namespace ferryfs::test
