// The callback of a fetch may lock the namespace, while another holder of it waits for the index.
#include <future>
#include <shared_mutex>

#include "index/update/local_change.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using remote::cause;
using remote::failure;

TEST_CASE("readers who lock the namespace when they are told hold up nobody who waits for the index under it") {
  fetch_fixture f;
  const inode ino = f.gap("d/a.jpg", "content");
  std::atomic<bool> entered = false, locked = false;
  std::promise<void> notified;
  const auto reader = [&](const auto&) {
    entered = true;
    wait_until([&] { return locked.load(); });
    const std::shared_lock names{f.where.namespace_lock()};
    notified.set_value();
  };
  f.fetch.await_range(ino, 0, 100, reader);
  REQUIRE(f.source.awaits("d/a.jpg"));
  SECTION("the picture landed") { f.source.serve("d/a.jpg"); }
  SECTION("the source could not read it") { f.source.finish("d/a.jpg", failure{cause::source_error, "no"}); }
  SECTION("the source is away") { f.source.finish("d/a.jpg", failure{cause::cancelled, "away"}); }
  SECTION("the source has another") {
    f.source.put_file("d/a.jpg", "another content");
    f.source.finish("d/a.jpg", failure{cause::changed, "another"});
  }
  SECTION("it was removed here") {
    f.source.answer_all("d/a.jpg");
    f.writer.run([&](index::transaction& t) { index::apply_removal(t, ino, second); });
    ++f.where.namespace_version();
    f.source.finish("d/a.jpg");
  }
  SECTION("another file stands there") {
    write_file(f.on_disk("d/a.jpg"), "mine");
    f.source.serve("d/a.jpg");
  }
  REQUIRE(wait_until([&] { return entered.load(); }));
  std::unique_lock names{f.where.namespace_lock(), std::defer_lock};
  REQUIRE(wait_until([&] { return names.try_lock(); }));
  locked = true;
  auto job = std::async(std::launch::async, [&] { f.writer.run([](index::transaction&) {}); });
  CHECK(job.wait_for(5s) == std::future_status::ready);
  names.unlock();
  job.wait();
  CHECK(notified.get_future().wait_for(5s) == std::future_status::ready);
}

}  // namespace
}  // namespace ferryfs::test
