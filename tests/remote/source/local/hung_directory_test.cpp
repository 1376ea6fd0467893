// A directory whose file system does not answer: whoever asks is told so in time, nobody waits for it, and all goes on
// by itself when it answers again.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <map>
#include <mutex>
#include <vector>

#include "remote/source/local/directory_archive.hpp"
#include "remote/source/local/real_path_in_time.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/descriptor.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/hung_mount.hpp"
#include "tests/doubles/process_tree.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using remote::attributes;
using remote::cause;
using remote::failure;
using who_waits = hung_mount::who_waits;

constexpr auto soon = 5s;
// In which a process starts and asks.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto brief = 1000ms;
#else
constexpr auto brief = 100ms;
#endif

bool has_zombies() {
  siginfo_t found{};
  return ::waitid(P_ALL, 0, &found, WEXITED | WNOHANG | WNOWAIT) == 0 && found.si_pid != 0;
}

bool has_dying_children() {
  const auto all = children_of(::getpid());
  return std::any_of(all.begin(), all.end(), is_dying);
}

struct one_reading final : remote::reading {
  std::string where = "2013/a.jpg";
  bool asked = false;
  std::promise<std::optional<failure>> end;
  const std::string& path() const override { return where; }
  next next_range(std::uint32_t) override {
    if (std::exchange(asked, true)) return {remote::next_step::done, {}};
    return {remote::next_step::more, {0, 10}};
  }
  void arrived(std::uint64_t, std::span<const std::byte>) override {}
  void finished(const std::optional<failure>& why, const attributes&) override { end.set_value(why); }
};

struct one_listing final : remote::listing {
  std::promise<std::optional<failure>> end;
  void batch(std::vector<remote::directory_entry>) override {}
  void refused(std::string, std::string) override {}
  void finished(const std::optional<failure>& why) override { end.set_value(why); }
};

struct hung_fixture {
  temp_dir dir{"source"};
  std::unique_ptr<remote::directory_archive> archive;
  std::mutex mutex;
  std::vector<bool> notified;

  hung_fixture() { write_file(dir / "2013/a.jpg", "0123456789"); }
  ~hung_fixture() {
    if (archive) archive->stop();
  }
  void open(std::chrono::milliseconds deadline, bool answers = true) {
    archive = std::make_unique<remote::directory_archive>(dir.path().string(), deadline, answers);
    archive->set_listener([this](const auto& h) {
      const std::lock_guard lock{mutex};
      notified.push_back(h.reachable);
    });
  }
  std::optional<failure> stat(const std::string& path = "2013/a.jpg") {
    const auto p = std::make_shared<std::promise<std::optional<failure>>>();
    archive->stat(path, [p](const auto& why, const auto&) { p->set_value(why); });
    return p->get_future().get();
  }
  std::optional<failure> read() {
    const auto to = std::make_shared<one_reading>();
    archive->read(to, remote::priority::demand);
    return to->end.get_future().get();
  }
  std::optional<failure> list(const std::string& path = "2013") {
    const auto to = std::make_shared<one_listing>();
    archive->list(path, to);
    return to->end.get_future().get();
  }
  bool comes_back() {
    return wait_until([&] { return archive->state().reachable; }, soon);
  }
  bool is_notified(const std::vector<bool>& all) {
    return wait_until([&] {
      const std::lock_guard lock{mutex};
      return notified == all;
    });
  }
};

TEST_CASE("a directory that does not answer fails what is asked in time, and then at once, until it answers") {
  hung_fixture f;
  f.open(500ms);
  hung_mount hung{f.dir.path(), GENERATE(who_waits::can_be_killed, who_waits::can_not_be_killed)};
  const auto begun = clock::now();
  const auto why = f.stat();
  CHECK(clock::now() - begun > 400ms);
  CHECK(clock::now() - begun < soon);
  REQUIRE(why);
  CHECK(why->why == cause::timeout);
  CHECK_THAT(why->text, contains_text("the source does not answer: " + f.dir.path().string()));
  CHECK_THAT(why->text, contains_text("2013/a.jpg"));
  CHECK_FALSE(f.archive->state().reachable);
  CHECK_THAT(f.archive->state().why, contains_text("does not answer"));

  const auto known = clock::now();
  for (int i = 0; i < 10; ++i) {
    CHECK(f.read().value().why == cause::timeout);
    CHECK(f.list().value().why == cause::timeout);
  }
  CHECK(clock::now() - known < 400ms);
  CHECK(f.is_notified({false}));

  hung.end();
  CHECK(f.comes_back());
  CHECK_FALSE(f.read());
  CHECK_FALSE(f.list());
  CHECK(f.is_notified({false, true}));
}

TEST_CASE("where a part of a directory does not answer, that part is named") {
  hung_fixture f;
  write_file(f.dir / "2012/b.jpg", "b");
  f.open(300ms);
  REQUIRE_FALSE(f.list(""));
  hung_mount hung{f.dir / "2013", who_waits::can_be_killed};
  const bool listed = GENERATE(true, false);
  const auto why = listed ? f.list("") : f.read();
  REQUIRE(why);
  CHECK(why->why == cause::timeout);
  CHECK_THAT(why->text, contains_text(listed ? "of 2013)" : "of 2013/a.jpg)"));
  const std::string part = "a part of the source does not answer and holds up the rest: " + (f.dir / "2013").string();
  CHECK(wait_until([&] { return f.archive->state().why.starts_with(part + " ("); }));
  CHECK_THAT(f.list("2012").value().text, contains_text(part));
  hung.end();
  CHECK(f.comes_back());
  CHECK_FALSE(f.list(""));
  CHECK_FALSE(f.read());
}

TEST_CASE("what is mounted anew in the place of a directory that does not answer is found by itself") {
  hung_fixture f;
  f.open(300ms);
  hung_mount hung{f.dir.path(), GENERATE(who_waits::can_be_killed, who_waits::can_not_be_killed)};
  CHECK(f.list());
  hung.detach();  // who waits for it goes on waiting
  CHECK(f.comes_back());
  CHECK_FALSE(f.read());
}

TEST_CASE("a directory that answers after all, and takes as long for the next time, is reachable meanwhile") {
  hung_fixture f;
  f.open(300ms);
  hung_mount hung{f.dir.path(), who_waits::can_not_be_killed};
  CHECK(f.list().value().why == cause::timeout);
  REQUIRE(wait_until([&] { return hung.taken() > 1; }));  // it was asked again
  CHECK_FALSE(f.archive->state().reachable);
  hung.refuse_first();
  CHECK(f.is_notified({false, true}));
}

TEST_CASE("no more than a few processes wait for a directory that does not answer, however long that lasts") {
  hung_fixture f;
  f.open(brief);
  const hung_mount hung{f.dir.path(), who_waits::can_not_be_killed};
  CHECK(f.list());
  REQUIRE(wait_until([&] { return children_of(::getpid()).size() >= 3; }));
  const descriptor mounts{::open("/proc/self/mounts", O_RDONLY | O_CLOEXEC)};
  std::size_t may = 6;  // and another one whenever something is mounted, which other tests may do meanwhile
  const auto are_too_many = [&] {
    const auto are = children_of(::getpid()).size();
    pollfd change{mounts.get(), POLLPRI, 0};
    if (::poll(&change, 1, 0) > 0) ++may;
    return are > may;
  };
  CHECK_FALSE(wait_until(are_too_many, 500ms));
  CHECK_FALSE(f.archive->state().reachable);
}

TEST_CASE("what is mounted anew is found also when as many processes wait in vain as may") {
  hung_fixture f;
  f.open(brief);
  hung_mount hung{f.dir.path(), who_waits::can_not_be_killed};
  CHECK(f.list());
  REQUIRE(wait_until([&] { return hung.taken() >= 3 && has_dying_children(); }));  // none is asked any more
  SECTION("once") {
    hung.detach();
    CHECK(f.comes_back());
    CHECK_FALSE(f.read());
  }
  SECTION("but not with ever more processes, whatever is mounted elsewhere") {
    const temp_dir elsewhere{"elsewhere"};
    const auto mount_elsewhere = [&] {
      const auto before = hung.taken();
      const hung_mount another{elsewhere.path(), who_waits::can_be_killed};
      return wait_until([&] { return hung.taken() > before; }, 3 * brief);
    };
    const auto are_all_there = [&] {
      mount_elsewhere();
      return hung.taken() >= 16;
    };
    CHECK(wait_until(are_all_there, 60s));
    CHECK_FALSE(mount_elsewhere());
    CHECK(hung.taken() == 16);
  }
}

TEST_CASE("processes that were left behind leave nothing when the directory answers") {
  REQUIRE(wait_until([] { return ::waitpid(-1, nullptr, WNOHANG) < 0; }));  // none is left of other tests
  hung_fixture f;
  f.open(brief);
  SECTION("at once, those that can end") {
    hung_mount hung{f.dir.path(), who_waits::can_be_killed};
    CHECK(f.list());
    hung.end();
    CHECK(f.comes_back());
    CHECK(wait_until([] { return !has_zombies(); }, soon));
  }
  SECTION("with the requests that follow, those that end later") {
    hung_mount hung{f.dir.path(), who_waits::can_not_be_killed};
    CHECK(f.list());
    hung.detach();
    CHECK(f.comes_back());
    hung.end();
    REQUIRE(wait_until([] { return has_zombies(); }));
    CHECK(wait_until([&] { return !f.stat() && !has_zombies(); }));
  }
  SECTION("nor those that were left by who is no more") {
    hung_mount hung{f.dir.path(), who_waits::can_not_be_killed};
    CHECK_FALSE(remote::real_path_in_time(f.dir.path().string(), brief));
    hung.detach();
    CHECK_FALSE(f.stat());
    hung.end();
    REQUIRE(wait_until([] { return has_zombies(); }));
    CHECK(wait_until([&] { return !f.stat() && !has_zombies(); }));
  }
}

TEST_CASE("a process that asks a local source is seen by its name") {
  hung_fixture f;
  f.open(20s);
  const auto all = children_of(::getpid());
  REQUIRE_FALSE(all.empty());
  for (const pid_t child : all) CHECK(read_file("/proc/" + std::to_string(child) + "/comm") == "ferryfs-files\n");
}

TEST_CASE("a request that a directory does not answer is let go of, and with no lock held") {
  hung_fixture f;
  f.open(300ms);
  const hung_mount hung{f.dir.path(), who_waits::can_be_killed};
  std::future<void> asked;  // by whoever lets go of the request; outlives that
  std::promise<bool> free;
  const auto ask = [&] {
    asked = std::async(std::launch::async, [&] { f.archive->state(); });
    free.set_value(asked.wait_for(1s) == std::future_status::ready);
  };
  const bool known = GENERATE(false, true);
  if (known) CHECK(f.list());
  f.archive->stat("2013", [last = std::shared_ptr<void>(nullptr, [&](void*) { ask(); })](const auto&, const auto&) {});
  auto is_free = free.get_future();
  REQUIRE(is_free.wait_for(soon) == std::future_status::ready);  // while it does not answer
  CHECK(is_free.get());
}

TEST_CASE("an archive that is stopped waits for no directory that does not answer") {
  hung_fixture f;
  f.open(1min);
  const hung_mount hung{f.dir.path(), GENERATE(who_waits::can_be_killed, who_waits::can_not_be_killed)};
  std::vector<std::shared_ptr<one_reading>> readings;
  for (int i = 0; i < 6; ++i) {
    readings.push_back(std::make_shared<one_reading>());
    f.archive->read(readings.back(), remote::priority::background);
  }
  const auto begun = clock::now();
  f.archive->stop();
  CHECK(clock::now() - begun < soon);
  for (const auto& r : readings) CHECK(r->end.get_future().get().value().why == cause::cancelled);
}

TEST_CASE("a directory that does not answer from the start is unreachable, and taken up when it answers") {
  hung_fixture f;
  const bool answers = GENERATE(true, false);
  {
    const hung_mount hung{f.dir.path(), who_waits::can_be_killed};
    const auto begun = clock::now();
    f.open(500ms, answers);
    CHECK((clock::now() - begun > 400ms) == answers);
    CHECK_FALSE(f.archive->state().reachable);
    CHECK(f.stat().value().why == cause::timeout);
    CHECK_FALSE(remote::real_path_in_time(f.dir.path().string(), 300ms));
  }
  CHECK(f.comes_back());
  CHECK_FALSE(f.stat());
  CHECK(remote::real_path_in_time((f.dir / "2013/..").string(), 20s) == f.dir.path().string());
}

TEST_CASE("a process that asks a local source and is killed is replaced") {
  hung_fixture f;
  f.open(20s);
  for (const pid_t child : children_of(::getpid())) ::kill(child, SIGKILL);
  REQUIRE(wait_until([] { return children_of(::getpid()).empty(); }));
  CHECK_FALSE(f.stat());
  CHECK_FALSE(f.read());
}

}  // namespace
}  // namespace ferryfs::test
