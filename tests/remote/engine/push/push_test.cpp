// The way back, seen on the source and in the index: what a push sends, and what it never does.
#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <random>
#include <utility>

#include "index/base/error.hpp"
#include "index/update/decision.hpp"
#include "index/update/local_change.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/push/pusher.hpp"
#include "remote/engine/verify/verifier.hpp"
#include "remote/source/local/directory_archive.hpp"
#include "remote/source/server/sftp_archive.hpp"
#include "remote/source/temporary_name.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/relay.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using remote::cause;
using remote::push_result;

constexpr std::int64_t old_time = 1'400'000'000;

std::string noise(std::size_t size, unsigned seed = 1) {
  std::minstd_rand dice{seed};
  std::string bytes(size, '\0');
  for (auto& b : bytes) b = static_cast<char>(dice() >> 8);
  return bytes;
}

// The output of `diff -r` for both sides.
std::string difference(const fs::path& here, const fs::path& there) {
  const auto result = run({"diff", "-r", "--no-dereference", "--exclude=.ferryfs", here, there});
  return result.out + result.err;
}

template <class Archive>
struct push_fixture {
  temp_dir dir{"destination"};
  remote::destination where{dir.path().string()};
  Archive* source;
  std::unique_ptr<remote::migration> engine;
  std::uint64_t sent_bytes = 0;

  explicit push_fixture(std::unique_ptr<Archive> archive, remote::settings s = {}) : source(archive.get()) {
    where.acquire("");
    engine = std::make_unique<remote::migration>(s, where, std::move(archive));
    engine->index().run([](index::transaction& t) { t.put_meta("archive_id", "mine"); });
  }
  ~push_fixture() { engine->stop(); }

  void put(const std::string& path, std::string_view content) {
    write_file(dir / path, content);
    const timespec times[2] = {{old_time, 0}, {old_time, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (dir / path).c_str(), times, 0) == 0);
  }
  bool started = false;
  void scan() {
    auto scanned = std::make_shared<std::promise<void>>();
    // An empty source is one to push to.
    engine->rescan([scanned](const auto&) { scanned->set_value(); }, remote::migration::pass::full, true);
    if (!std::exchange(started, true)) engine->start({false, false});
    scanned->get_future().get();
  }
  remote::pusher::dependencies needs() {
    auto& m = *engine;
    return {m.setup(), where, *source, m.index(), m.readers(), m.limit(), m.suspicion()};
  }
  push_result push(const std::string& path = "", bool overwritten = false, remote::open_files_query open = {}) {
    remote::pusher p{needs(), overwritten, std::move(open)};
    auto r = p.run(path, {});
    sent_bytes = p.so_far().bytes;
    INFO(r.first_refusal << r.why);
    return r;
  }
  entry row(const std::string& path) { return engine->readers().borrow()->at(path).value(); }
  template <typename Edit>
  void edit(const std::string& path, Edit&& change) {
    engine->index().run([&](index::transaction& t) {
      const entry before = t.by_inode(row(path).ino).value();
      entry after = before;
      change(after);
      t.update(before, after);
    });
  }
  std::string state_of(const std::string& path) {
    const auto e = engine->readers().borrow()->at(path);
    return e ? std::string(name_of(e->state)) : "unknown";
  }
};

struct fake_fixture : push_fixture<fake_archive> {
  explicit fake_fixture(remote::settings s = {}) : push_fixture(std::make_unique<fake_archive>(), std::move(s)) {}
};

}  // namespace

TEST_CASE("push: what is new arrives whole, and the index says so", "[push]") {
  fake_fixture f;
  f.source->put_file("20130715/old.jpg", "old");
  f.put("20130715/a.jpg", "0123456789");
  f.put("new day/deep/b.jpg", "");
  f.put("c.jpg", "c");
  fs::permissions(f.dir / "20130715/a.jpg", fs::perms{0640});
  fs::permissions(f.dir / "new day", fs::perms{0750});
  fs::create_symlink("a.jpg", f.dir / "20130715/link");
  f.scan();
  auto r = f.push();
  CHECK(r.ended == push_result::end::done);
  CHECK(r.files == 4);
  CHECK(r.bytes == 11 + 5);  // a link's size is its target's
  CHECK(r.refused == 0);
  CHECK(f.source->names() == std::vector<std::string>{"20130715", "20130715/a.jpg", "20130715/link", "20130715/old.jpg",
                                                      "c.jpg", "new day", "new day/deep", "new day/deep/b.jpg"});
  CHECK(f.source->content("20130715/a.jpg") == "0123456789");
  CHECK(f.source->content("20130715/link") == "a.jpg");
  CHECK(f.source->content("20130715/old.jpg") == "old");
  CHECK(f.source->look("20130715/a.jpg") == remote::attributes{S_IFREG | 0640, 10, old_time});
  CHECK(f.source->look("new day").mode == (S_IFDIR | 0750));
  for (const auto* path : {"20130715/a.jpg", "20130715/link", "new day", "new day/deep/b.jpg", "c.jpg"})
    CHECK(f.state_of(path) == "common");
  CHECK(f.state_of("20130715/old.jpg") == "missing");

  r = f.push();
  CHECK(r.files + r.already_there + r.refused == 0);
}

TEST_CASE("push: only what lies below the path", "[push]") {
  fake_fixture f;
  f.put("a/1.jpg", "1"), f.put("b/2.jpg", "2"), f.put("b/3.jpg", "3");
  f.scan();
  CHECK(f.push("b/2.jpg").files == 1);
  CHECK(f.push("b").files == 1);
  CHECK_FALSE(f.source->content("a/1.jpg"));
  CHECK_THROWS_AS(f.push("c"), error);
}

TEST_CASE("push: an interrupted picture is gone on with", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "0123456789");
  f.scan();
  SECTION("from where it was") {
    f.source->put_file(".a.jpg.mine.ferryfs-part", "012345");
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 4);
  }
  SECTION("from its front, where what is there is of another file") {
    f.source->put_file(".a.jpg.mine.ferryfs-part", "xx2345");
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 14);
  }
  SECTION("from its front, where there is more than the file has") {
    f.source->put_file(".a.jpg.mine.ferryfs-part", "0123456789abc");
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 10);
  }
  CHECK(f.source->content("a.jpg") == "0123456789");
  CHECK(f.source->names() == std::vector<std::string>{"a.jpg"});
}

TEST_CASE("push: a lost connection is no refusal", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "0123456789"), f.put("b.jpg", "b");
  f.scan();
  f.source->fail(".a.jpg.mine.ferryfs-part", cause::unreachable);
  f.source->before(".a.jpg.mine.ferryfs-part", [&] {
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->mend(".a.jpg.mine.ferryfs-part"); });
  });
  const auto r = f.push();
  CHECK(r.files == 2);
  CHECK(r.refused == 0);
  CHECK(f.source->content("a.jpg") == "0123456789");
}

TEST_CASE("push: a name that stands on the source is left as it is", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "mine"), f.put("b.jpg", "b");
  f.scan();
  const auto check_refused = [&](const std::string& theirs) {
    const auto r = f.push();
    CHECK(r.files == 1);
    CHECK(r.refused == 1);
    CHECK_THAT(r.first_refusal, contains_text("a.jpg"));
    CHECK(f.source->content("a.jpg") == theirs);
    CHECK(f.source->names() == std::vector<std::string>{"a.jpg", "b.jpg"});
    CHECK(f.state_of("a.jpg") == "new");
  };
  SECTION("since the last scan") {
    f.source->put_file("a.jpg", "theirs");
    check_refused("theirs");
  }
  SECTION("of the same size") {
    f.source->put_file("a.jpg", "MINE");
    check_refused("MINE");
  }
  SECTION("since it was looked at") {
    f.source->before("a.jpg", [&] { f.source->put_file("a.jpg", "theirs"); });
    check_refused("theirs");
  }
}

TEST_CASE("push: what the source has already is not sent again", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "same");
  f.scan();
  f.source->put_file("a.jpg", "same");
  const auto r = f.push();
  CHECK(r.already_there == 1);
  CHECK(r.files == 0);
  CHECK(f.sent_bytes == 0);
  CHECK(f.state_of("a.jpg") == "common");
}

TEST_CASE("push: a file that changes while it is sent is sent as it then is", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "before");
  f.scan();
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { write_file(f.dir / "a.jpg", "after that"); });
  CHECK(f.push().files == 1);
  CHECK(f.source->content("a.jpg") == "after that");
}

TEST_CASE("push: one that was deleted while it was sent does not get its name", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "before");
  f.scan();
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { fs::remove(f.dir / "a.jpg"); });
  CHECK(f.push().files == 0);
  CHECK(f.source->names().empty());
}

TEST_CASE("push: bytes that the source got wrong get no name", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "right");
  f.scan();
  // The same size and time, other bytes: as a bad disk would have it.
  f.source->spoil(".a.jpg.mine.ferryfs-part");
  const auto r = f.push();
  CHECK(r.refused == 1);
  CHECK_THAT(r.first_refusal, contains_text("other bytes"));
  CHECK(f.source->names().empty());
}

TEST_CASE("push: an account that may not write is told so once", "[push]") {
  fake_fixture f;
  for (int i = 0; i < 100; ++i) {
    f.put(std::to_string(i), "x");
    f.source->fail("." + std::to_string(i) + ".mine.ferryfs-part", cause::permission);
  }
  f.scan();
  const auto r = f.push();
  CHECK(r.ended == push_result::end::read_only);
  CHECK_THAT(r.why, contains_text("may write"));
}

TEST_CASE("push: one that is interrupted leaves what it has sent, to go on from there", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "0123456789"), f.put("b.jpg", "b");
  f.scan();
  f.source->put_file(".a.jpg.mine.ferryfs-part", "0123");
  std::stop_source stop;
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { stop.request_stop(); });
  const auto r = remote::pusher{f.needs(), false}.run("", stop.get_token());
  CHECK(r.ended == push_result::end::interrupted);
  CHECK(r.refused == 0);
  CHECK_FALSE(f.source->content("a.jpg"));
  CHECK(f.source->content(".a.jpg.mine.ferryfs-part") == "0123");
  f.push();
  CHECK(f.source->names() == std::vector<std::string>{"a.jpg", "b.jpg"});
}

TEST_CASE("push: a source that stays away ends it", "[push]") {
  remote::settings s;
  s.io_timeout = 0s;
  fake_fixture f{s};
  f.put("a.jpg", "a");
  f.scan();
  f.source->fail(".a.jpg.mine.ferryfs-part", cause::unreachable);
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->set_reachable(false); });
  const auto r = f.push();
  CHECK(r.ended == push_result::end::lost);
  CHECK(r.files == 0);
  CHECK(f.state_of("a.jpg") == "new");
}

TEST_CASE("push: what was overwritten here replaces the source's copy only when asked to", "[push]") {
  fake_fixture f;
  f.source->put_file("a.jpg", "theirs");
  f.put("a.jpg", "mine here");
  f.scan();
  REQUIRE(f.state_of("a.jpg") == "conflict");
  SECTION("not by itself") {
    CHECK(f.push().files == 0);
    CHECK(f.source->content("a.jpg") == "theirs");
  }
  SECTION("as it is known") {
    CHECK(f.push("", true).files == 1);
    CHECK(f.source->content("a.jpg") == "mine here");
    CHECK(f.source->names() == std::vector<std::string>{"a.jpg"});
    CHECK(f.state_of("a.jpg") == "common");
  }
  SECTION("not where it has changed since") {
    f.source->put_file("a.jpg", "changed again", long_ago + 5);
    CHECK(f.push("", true).refused == 1);
    CHECK(f.source->content("a.jpg") == "changed again");
  }
  SECTION("not where it changes while the new one is sent") {
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->put_file("a.jpg", "THEIRS", long_ago + 5); });
    CHECK(f.push("", true).refused == 1);
    CHECK(f.source->content("a.jpg") == "THEIRS");
    CHECK(f.source->names() == std::vector<std::string>{"a.jpg"});
  }
  SECTION("not where the server can't do it in one step") {
    f.source->set_can_replace(false);
    CHECK_THROWS_AS(f.push("", true), error);
    CHECK(f.source->content("a.jpg") == "theirs");
  }
}

TEST_CASE("push: bytes that are known to be wrong never replace the source's good ones", "[push]") {
  fake_fixture f;
  f.source->put_file("a.jpg", "theirs"), f.source->put_file("b.jpg", "b");
  f.put("a.jpg", "theirs"), f.put("b.jpg", "b, made better");
  f.scan();
  const auto verify = [&] {
    remote::verify_progress progress;
    return remote::verify_below({f.where, *f.source, f.engine->index(), f.engine->readers(), f.engine->suspicion()}, "",
                                remote::verify_how::here, [](const auto&) {}, progress, {});
  };
  const auto check_refused = [&](const std::string& name, const std::string& theirs) {
    const auto r = f.push(name, true);
    CHECK((r.files == 0 && r.refused == 1));
    CHECK_THAT(r.first_refusal, contains_text(name + ": its bytes here are not the ones"));
    CHECK(f.source->content(name) == theirs);
    CHECK(f.source->names() == std::vector<std::string>{"a.jpg", "b.jpg"});
  };
  REQUIRE(verify().newly_digested == 2);
  SECTION("as a verify has found") {
    f.put("a.jpg", "tHeirs");
    REQUIRE(verify().wrong == 1);
    REQUIRE(f.state_of("a.jpg") == "conflict");
    check_refused("a.jpg", "theirs");
  }
  SECTION("as the push itself finds") {
    f.put("b.jpg", "b, made BETTER");
    check_refused("b.jpg", "b");
  }
  SECTION("as a verify finds while they are sent") {
    f.edit("b.jpg", [](entry& e) { e.sha256.clear(); });
    f.source->before(".b.jpg.mine.ferryfs-part", [&] { f.edit("b.jpg", [](entry& e) { e.reason = reason::spoilt; }); });
    check_refused("b.jpg", "b");
  }
}

TEST_CASE("push: what is being written here is not sent", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "half"), f.put("b.jpg", "b");
  f.scan();
  const inode a = f.row("a.jpg").ino;
  std::atomic<bool> written = true;
  const remote::open_files_query open{[&](inode ino) { return written && ino == a; }, [](inode) {},
                                      [] { return std::size_t{1}; }};
  const auto check_refused = [&] {
    const auto r = f.push("", false, open);
    CHECK((r.files == 1 && r.refused == 1));
    CHECK_THAT(r.first_refusal, contains_text("a.jpg: is being written here"));
    CHECK(f.source->names() == std::vector<std::string>{"b.jpg"});
  };
  SECTION("from the start") { check_refused(); }
  SECTION("since it was begun to be sent") {
    written = false;
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { written = true; });
    check_refused();
  }
  written = false;
  CHECK(f.push("", false, open).files == 1);
  CHECK(f.source->content("a.jpg") == "half");
}

TEST_CASE("push: a new picture under the name of one that was given up here replaces that only when asked to",
          "[push]") {
  fake_fixture f;
  f.source->put_file("a.jpg", "theirs");
  f.put("a.jpg", "mine here");
  f.scan();
  const auto job = [&](auto&& make) { f.engine->index().run(make); };
  const inode ino = f.row("a.jpg").ino;
  job([&](index::transaction& t) { index::apply_keep_destination(t, ino); });
  REQUIRE(f.state_of("a.jpg") == "new");
  CHECK(f.push().refused == 1);
  CHECK(f.source->content("a.jpg") == "theirs");
  f.source->put_file("a.jpg", "theirs, changed", long_ago + 5);
  CHECK(f.push("", true).refused == 1);
  CHECK(f.source->content("a.jpg") == "theirs, changed");
  f.source->put_file("a.jpg", "theirs");
  CHECK(f.push("", true).files == 1);
  CHECK(f.source->content("a.jpg") == "mine here");
  for (int i = 0; i < 2; ++i) {
    CHECK(f.state_of("a.jpg") == "common");
    CHECK(f.engine->readers().borrow()->totals().of(state::deleted).files == 0);
    CHECK(f.push("", true).files == 0);
    f.scan();
  }
}

TEST_CASE("push: an edit that was saved by a rename is a conflict, which replaces the source's only when asked to",
          "[push]") {
  fake_fixture f;
  f.source->put_file("a.jpg", "theirs");
  f.put(".a.tmp", "mine here");
  f.scan();
  fs::rename(f.dir / ".a.tmp", f.dir / "a.jpg");
  f.engine->index().run([](index::transaction& t) {
    index::apply_rename(t, t.child(root_inode, ".a.tmp")->ino, root_inode, "a.jpg", 1);
  });
  REQUIRE(f.state_of("a.jpg") == "conflict");
  CHECK(f.push().files == 0);
  CHECK(f.source->content("a.jpg") == "theirs");
  CHECK(f.push("", true).files == 1);
  CHECK(f.source->content("a.jpg") == "mine here");
  f.scan();
  CHECK(f.state_of("a.jpg") == "common");
}

TEST_CASE("push: one that is stopped while the source is away says so", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "a");
  f.scan();
  std::stop_source stop;
  f.source->fail(".a.jpg.mine.ferryfs-part", cause::unreachable);
  SECTION("while it waits for the source") {
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->set_reachable(false); });
    auto pushed = std::async(std::launch::async, [&] {
      return remote::pusher{f.needs(), false}.run("", stop.get_token());
    });
    REQUIRE(wait_until([&] { return !f.source->state().reachable; }));
    stop.request_stop();
    const auto r = pushed.get();
    CHECK(r.ended == push_result::end::interrupted);
    CHECK(r.refused == 0);
  }
  SECTION("as it goes") {
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { stop.request_stop(); });
    const auto r = remote::pusher{f.needs(), false}.run("", stop.get_token());
    CHECK(r.ended == push_result::end::interrupted);
    CHECK(r.refused == 0);
  }
}

TEST_CASE("push: nothing is put under a name that on the source is that of what was renamed here", "[push]") {
  fake_fixture f;
  f.source->put_file("old name/1.jpg", "1"), f.source->put_file("2.jpg", "2");
  f.put("old name/1.jpg", "1"), f.put("2.jpg", "2");
  f.scan();
  for (const auto& [from, to] : {std::pair{"old name", "new name"}, std::pair{"2.jpg", "3.jpg"}}) {
    fs::rename(f.dir / from, f.dir / to);
    f.engine->index().run(
        [&](index::transaction& t) { index::apply_rename(t, t.child(root_inode, from)->ino, root_inode, to, 1); });
  }
  f.put("old name/4.jpg", "4"), f.put("2.jpg", "2");
  f.scan();
  const auto r = f.push();
  CHECK((r.files == 0 && r.already_there == 0 && r.refused == 2));
  CHECK_THAT(r.first_refusal, contains_text("has another name here"));
  CHECK(f.source->names() == std::vector<std::string>{"2.jpg", "old name", "old name/1.jpg"});
  f.scan();
  CHECK(f.state_of("3.jpg") == "common");
  CHECK(f.state_of("new name/1.jpg") == "common");
}

TEST_CASE("push: what was put into a directory that was renamed here goes where the source has that", "[push]") {
  fake_fixture f;
  f.source->put_file("old name/1.jpg", "1");
  f.put("old name/2.jpg", "2");
  f.scan();
  fs::rename(f.dir / "old name", f.dir / "new name");
  f.engine->index().run([&](index::transaction& t) {
    index::apply_rename(t, t.child(root_inode, "old name")->ino, root_inode, "new name", 1);
  });
  CHECK(f.push().files == 1);
  CHECK(f.source->content("old name/2.jpg") == "2");
}

TEST_CASE("push: a pipe of this server is neither sent nor opened, and is no failure", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "a");
  REQUIRE(::mkfifo((f.dir / "pipe").c_str(), 0600) == 0);
  f.scan();
  const auto r = f.push();
  CHECK(f.state_of("pipe") == "new");
  CHECK(r.ended == push_result::end::done);
  CHECK(r.files == 1);
  CHECK(r.refused == 0);
  CHECK(f.source->names() == std::vector<std::string>{"a.jpg"});
}

TEST_CASE("push: what is left out of the source is not sent there either", "[push]") {
  remote::settings s;
  s.exclude = {"*.tmp", "scratch/"};
  fake_fixture f{s};
  f.put("a.tmp", "a"), f.put("scratch/b.jpg", "b"), f.put(".c.jpg.mine.ferryfs-part", "c"), f.put("d.jpg", "d");
  f.scan();
  const auto r = f.push();
  CHECK(r.files == 1);
  CHECK(r.refused == 0);
  CHECK(f.source->names() == std::vector<std::string>{"d.jpg"});
}

TEST_CASE("push: where what an earlier run left may not be written to, it is taken away and sent anew", "[push]") {
  fake_fixture f;
  const std::string part = ".a.jpg.mine.ferryfs-part";
  f.put("a.jpg", "0123456789");
  f.scan();
  f.source->put_file(part, "0123");
  f.source->fail(part, cause::permission);
  SECTION("it can be") {
    // At the WRITE it is denied, at the REMOVE no more.
    f.source->before(part, [&] { f.source->before(part, [&] { f.source->mend(part); }); });
    CHECK(f.push().files == 1);
    CHECK(f.source->content("a.jpg") == "0123456789");
  }
  SECTION("it can't be") {
    CHECK(f.push().refused == 1);
    CHECK(f.source->content(part) == "0123");
  }
}

TEST_CASE("push: what an earlier run left is not thrown away for a failure that may be the server's own", "[push]") {
  fake_fixture f;
  const std::string part = ".a.jpg.mine.ferryfs-part";
  f.put("a.jpg", "0123456789");
  f.scan();
  f.source->fail(part, cause::source_error);
  // The part is asked for that often, to be written or removed, until nothing fails any more.
  const auto mend_at = [&](int time) {
    const auto asked = std::make_shared<int>(0);
    const auto count = std::make_shared<std::function<void()>>();
    *count = [&f, part, time, asked, count = std::weak_ptr(count)] {
      if (++*asked == time) return f.source->mend(part);
      f.source->before(part, [again = count.lock()] { (*again)(); });
    };
    f.source->before(part, [count] { (*count)(); });
    return asked;
  };
  SECTION("that does not come again") {
    f.source->put_file(part, "0123");
    mend_at(2);
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 6);
    CHECK(f.source->content("a.jpg") == "0123456789");
  }
  SECTION("that comes again, and then it is") {
    f.source->put_file(part, "0123");
    const auto asked = mend_at(3);
    CHECK(f.push().files == 1);
    CHECK(f.sent_bytes == 10);
    CHECK(*asked == 3);
  }
  SECTION("where none stands there, nothing is removed") {
    const bool denied = GENERATE(true, false);
    if (denied) f.source->fail(part, cause::permission);
    const auto asked = mend_at(9);
    CHECK(f.push().refused == 1);
    CHECK(*asked == (denied ? 1 : 2));
  }
  SECTION("where it can't be looked at, it stays") {
    f.source->put_file(part, "0123");
    f.source->deny(part);
    mend_at(3);
    CHECK(f.push().refused == 1);
    CHECK(f.source->content(part) == "0123");
  }
}

TEST_CASE("push: what another archive left under its part name is not gone on with, nor touched", "[push]") {
  fake_fixture f;
  f.source->put_file(".a.jpg.another.ferryfs-part", "012345");
  f.put("a.jpg", "0123456789");
  f.scan();
  CHECK(f.push().files == 1);
  CHECK(f.source->content("a.jpg") == "0123456789");
  CHECK(f.source->content(".a.jpg.another.ferryfs-part") == "012345");
}

TEST_CASE("push: a name that somebody takes while a picture is sent is not replaced, whatever the server's rename does",
          "[push]") {
  fake_fixture f;
  f.put("a.jpg", "0123456789");
  f.scan();
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->put_file("a.jpg", "THEIRS"); });
  const auto r = f.push();
  CHECK(r.files == 0);
  CHECK(r.refused == 1);
  CHECK(f.source->content("a.jpg") == "THEIRS");
  CHECK_FALSE(f.source->content(".a.jpg.mine.ferryfs-part"));
}

TEST_CASE("push: to a server that tells no sizes", "[push]") {
  fake_fixture f;
  f.source->tell_sizes(GENERATE(fake_archive::sizes::unknown, fake_archive::sizes::zero));
  f.put("a.jpg", "0123456789");
  f.scan();
  CHECK(f.push().files == 1);
  CHECK(f.source->content("a.jpg") == "0123456789");
  CHECK(f.state_of("a.jpg") == "common");
  f.scan();
  CHECK(f.state_of("a.jpg") == "common");
}

TEST_CASE("push: an unfinished one on the source is never taken for a picture", "[push]") {
  fake_fixture f;
  f.source->put_file("2013/.a.jpg.mine.ferryfs-part", "half");
  f.source->put_file("2013/b.jpg", "b");
  f.scan();
  CHECK(f.state_of("2013/b.jpg") == "missing");
  CHECK(f.state_of("2013/.a.jpg.mine.ferryfs-part") == "unknown");
}

TEST_CASE("push: the part name of a long name is one that can stand in a directory", "[push]") {
  const std::string longest(255, 'x'), other = std::string(254, 'x') + 'y';
  CHECK(remote::temporary_name("a.jpg", "mine") == ".a.jpg.mine.ferryfs-part");
  CHECK(remote::temporary_name(longest, "mine").size() <= 255);
  CHECK(remote::temporary_name(longest, "mine") != remote::temporary_name(other, "mine"));
  CHECK(remote::is_temporary_name(remote::temporary_name(longest, "mine")));
  CHECK(remote::temporary_name(longest, "mine") != remote::temporary_name(longest, "another's"));
  CHECK_FALSE(remote::is_temporary_name("a.mine.ferryfs-part"));
}

TEST_CASE("push: to a directory of this machine", "[push]") {
  temp_dir to{"source"};
  push_fixture<remote::directory_archive> f{std::make_unique<remote::directory_archive>(to.path().string())};
  f.put("2013/a.jpg", noise(3'000'000)), f.put("2013/b.jpg", ""), f.put(std::string(255, 'x'), "long");
  fs::create_symlink("nowhere", f.dir / "2013/link");
  f.scan();
  CHECK(f.push().files == 4);
  CHECK(difference(f.dir.path(), to.path()) == "");
  write_file(f.dir / "c.jpg", "mine");
  f.scan();
  write_file(to / "c.jpg", "theirs");
  CHECK(f.push().refused == 1);
  CHECK(read_file(to / "c.jpg") == "theirs");
}

TEST_CASE("push: a connection that is cut in the middle is gone on with from there", "[push][sshd][relay]") {
  temp_dir to{"source"};
  sshd server;
  relay line{{.listen = 0, .port = server.port(), .delay = 1ms, .in_flight = 1'000'000, .rate = 12'000'000}};
  remote::ssh::settings s;
  s.identities = {server.identity()}, s.known_hosts = {server.known_hosts(line.port())}, s.io_timeout = 10s;
  push_fixture<remote::sftp::sftp_archive> f{
      std::make_unique<remote::sftp::sftp_archive>(remote::ssh::resolve(sshd::url(to.path(), line.port()), s), 2)};
  constexpr std::uint64_t size = 24'000'000;
  f.put("2013/video.mp4", noise(size));
  for (int i = 0; i < 20; ++i) f.put("2013/" + std::to_string(i), noise(10'000, static_cast<unsigned>(i)));
  f.scan();
  const auto before = line.counts().bytes_up;
  auto cutter = std::async(std::launch::async, [&] {
    const bool half = wait_until([&] { return line.counts().bytes_up > before + size * 2 / 3; }, 30s);
    line.cut();
    return half;
  });
  const auto r = f.push();
  REQUIRE(cutter.get());
  CHECK(r.files + r.already_there == 21);
  CHECK(r.refused == 0);
  CHECK(line.counts().bytes_up - before < size * 4 / 3);
  CHECK(difference(f.dir.path(), to.path()) == "");
}

TEST_CASE("push: links arrive where the account may remove nothing, and one link on trial at most is left",
          "[push][sshd]") {
  temp_dir to{"source"};
  sshd server{{.sftp_command = "internal-sftp -P remove", .key_type = "ed25519", .config = {}}};
  remote::ssh::settings s;
  s.identities = {server.identity()}, s.known_hosts = {server.known_hosts()}, s.io_timeout = 10s;
  const auto archive = [&] {
    return std::make_unique<remote::sftp::sftp_archive>(remote::ssh::resolve(sshd::url(to.path(), server.port()), s),
                                                        2);
  };
  const auto names = [&] { return std::distance(fs::directory_iterator{to / "2013"}, fs::directory_iterator{}); };
  constexpr int links = 30;
  for (const std::string run : {"first", "second"}) {
    push_fixture<remote::sftp::sftp_archive> f{archive()};
    for (int i = 0; i < links; ++i) {
      fs::create_directories(f.dir / "2013");
      fs::create_symlink("1.jpg", f.dir / "2013" / (run + std::to_string(i)));
    }
    f.scan();
    const auto r = f.push();
    INFO(r.first_refusal);
    CHECK(r.files == links);
    CHECK(r.refused == 0);
    for (int i = 0; i < links; ++i) CHECK(fs::read_symlink(to / "2013" / (run + std::to_string(i))) == "1.jpg");
    CHECK(names() == (run == "first" ? links : 2 * links) + 1);
  }
}

}  // namespace ferryfs::test
