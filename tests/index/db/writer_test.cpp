#include "index/db/writer.hpp"

#include <atomic>
#include <future>
#include <thread>

#include "tests/catch.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::transaction;

// Keeps the writer busy until it is opened, so that what is posted meanwhile is one group.
class barrier {
 public:
  explicit barrier(index::writer& writer) {
    auto inside = std::make_shared<std::promise<void>>();
    auto reached = inside->get_future();
    writer.post([inside, once = false, gate = gate_.get_future().share()](transaction&) mutable {
      if (!std::exchange(once, true)) inside->set_value();
      gate.wait();
    });
    reached.wait();
  }
  void open() { gate_.set_value(); }

 private:
  std::promise<void> gate_;
};

TEST_CASE("jobs run in the order in which they were posted, and so do their answers") {
  index_fixture f;
  std::vector<int> ran, answered, expected;
  for (int i = 0; i < 300; ++i) {
    f.writer.post([&ran, i](transaction&) { ran.push_back(i); },
                  [&answered, i](std::exception_ptr) { answered.push_back(i); });
    expected.push_back(i);
  }
  f.writer.run([](transaction&) {});
  CHECK(ran == expected);
  CHECK(answered == expected);
}

TEST_CASE("jobs that wait are one transaction, and the listener is called once") {
  index_fixture f;
  int notifications = 0;
  std::size_t changes = 0;
  f.writer.on_change([&](std::vector<index::change> c) { ++notifications, changes += c.size(); });
  barrier gate{f.writer};
  for (inode i = 0; i < 10; ++i) f.writer.post([i](transaction& t) { t.note({index::change::what::content, i, {}}); });
  gate.open();
  f.writer.run([](transaction&) {});
  CHECK(notifications == 1);
  CHECK(changes == 10);
}

TEST_CASE("a job that fails leaves no trace and spares the jobs beside it") {
  index_fixture f;
  std::map<std::string, std::string> results;
  const auto answer = [&](const std::string& key) {
    return [&results, key](std::exception_ptr failure) {
      try {
        if (failure) std::rethrow_exception(failure);
        results[key] = "stored";
      } catch (const std::exception& e) {
        results[key] = e.what();
      }
    };
  };
  std::vector<std::string> notified;
  f.writer.on_change([&](std::vector<index::change> changes) {
    for (const auto& c : changes) notified.push_back(c.name);
  });
  const auto keep = [](const std::string& key) {
    return [key](transaction& t) {
      t.put_meta(key, "1");
      t.note({index::change::what::dentry, root_inode, key});
    };
  };
  barrier gate{f.writer};
  f.writer.post(keep("before"), answer("before"));
  f.writer.post(
      [&](transaction& t) {
        keep("failing")(t);
        throw std::runtime_error("disk on fire");
      },
      answer("failing"));
  f.writer.post(keep("after"), answer("after"));
  gate.open();
  f.writer.run([](transaction&) {});
  CHECK(results ==
        std::map<std::string, std::string>{{"before", "stored"}, {"failing", "disk on fire"}, {"after", "stored"}});
  CHECK(notified == std::vector<std::string>{"before", "after"});
  const auto reader = f.readers.borrow();
  CHECK(reader->meta("before"));
  CHECK_FALSE(reader->meta("failing"));
  CHECK(reader->meta("after"));
}

TEST_CASE("a job that the index refuses is answered with the reason") {
  index_fixture f;
  const inode a = f.insert(root_inode, "a", file_side(1));
  f.insert(root_inode, "b", file_side(1));
  CHECK_THROWS_AS(f.edit(a, [](entry& e) { e.name = "b"; }), SQLite::Exception);
  CHECK(f.row("a").ino == a);
  CHECK(f.readers.borrow()->totals().of(state::missing).files == 2);
}

TEST_CASE("a caller that waits for a job gets what the job returned or threw") {
  index_fixture f;
  CHECK(f.writer.run([](transaction&) { return std::string("result"); }) == "result");
  CHECK_THROWS_WITH(f.writer.run([](transaction&) { throw std::runtime_error("no"); }), "no");
  CHECK_THROWS_AS(f.writer.run([](transaction&) -> int { throw std::out_of_range("no"); }), std::out_of_range);
  CHECK(f.writer.run([](transaction& t) { return t.by_inode(root_inode).has_value(); }));
}

TEST_CASE("a completion and the listener find the change in the index") {
  index_fixture f;
  std::optional<std::string> seen_by_observer, seen_by_answer;
  f.writer.on_change([&](std::vector<index::change>) { seen_by_observer = f.readers.borrow()->meta("key"); });
  std::promise<void> answered;
  f.writer.post(
      [](transaction& t) {
        t.put_meta("key", "value");
        t.note({index::change::what::listing, root_inode, {}});
      },
      [&](std::exception_ptr) {
        seen_by_answer = f.readers.borrow()->meta("key");
        answered.set_value();
      });
  answered.get_future().wait();
  CHECK(seen_by_observer == "value");
  CHECK(seen_by_answer == "value");
}

TEST_CASE("an answer may post more than the queue holds") {
  index_fixture f;
  std::atomic<int> ran = 0;
  f.writer.post([](transaction&) {},
                [&](std::exception_ptr) {
                  for (int i = 0; i < 2000; ++i) f.writer.post([&](transaction&) { ++ran; });
                });
  CHECK(wait_until([&] { return ran == 2000; }));
}

TEST_CASE("many threads post at once, and wait for room, and nothing is lost") {
  index_fixture f;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&f, &answered, thread] {
      for (int i = 0; i < 500; ++i)
        f.writer.post([key = fmt::format("{}-{}", thread, i)](transaction& t) { t.put_meta(key, ""); },
                      [&](std::exception_ptr) { ++answered; });
    });
  for (auto& t : threads) t.join();
  f.writer.run([](transaction&) {});
  CHECK(answered == 2000);
  SQLite::Database database{f.path, SQLite::OPEN_READONLY};
  CHECK(database.execAndGet("SELECT count(*) FROM meta").getInt() == 2000);
}

TEST_CASE("what is queued when the writer ends is stored") {
  const temp_dir dir;
  const std::string path = (dir / "index.db").string();
  int answered = 0;
  {
    index::writer writer{path};
    for (int i = 0; i < 200; ++i)
      writer.post([i](transaction& t) { t.put_meta(std::to_string(i), ""); }, [&](std::exception_ptr) { ++answered; });
  }
  CHECK(answered == 200);
  SQLite::Database database{path, SQLite::OPEN_READONLY};
  CHECK(database.execAndGet("SELECT count(*) FROM meta").getInt() == 200);
}

// A new row in the root, by a job whose commit may come later.
inode insert_deferred(index_fixture& f, const std::string& name) {
  return f.writer.run_deferred([&](transaction& t) {
    entry e;
    e.parent = root_inode, e.name = name, e.state = state::added, e.local = file_side(1);
    return t.insert(e);
  });
}

TEST_CASE("pending changes are seen by a caller that asks for them, by jobs, and by all once they are committed") {
  index_fixture f{std::chrono::hours{1}};
  CHECK_FALSE(f.writer.pending());
  const inode ino = insert_deferred(f, "a");
  insert_deferred(f, "b");
  CHECK_FALSE(f.at("a"));  // or the commit would not have been saved
  CHECK(f.writer.pending()->rows().by_inode(ino)->name == "a");
  SECTION("commit_pending") { f.writer.commit_pending(); }
  SECTION("another job") {
    f.writer.run([&](transaction& t) { CHECK(t.child(root_inode, "b")); });
  }
  SECTION("a job that is queued") {
    std::promise<void> ran;
    f.writer.post([&](transaction&) { ran.set_value(); });
    ran.get_future().wait();
  }
  SECTION("a lease") {
    index::readers committing{f.path, [&] { f.writer.commit_pending(); }};
    CHECK(committing.borrow()->child(root_inode, "a"));
  }
  CHECK(f.at("a"));
  CHECK(f.at("b"));
  CHECK_FALSE(f.writer.pending());
  const auto reader = f.readers.borrow();
  CHECK(reader->totals().of(state::added).files == 2);
}

TEST_CASE("pending changes are committed soon without being asked for, and when the writer ends") {
  SECTION("soon") {
    index_fixture f{std::chrono::milliseconds{1}};
    const auto reader = f.readers.borrow();
    for (int i = 0; i < 300; ++i) {
      const auto name = std::to_string(i);
      insert_deferred(f, name);
      REQUIRE(wait_until([&] { return reader->child(root_inode, name).has_value(); }));
    }
  }
  SECTION("at the end") {
    const temp_dir dir{"index"};
    const auto path = (dir / "index.db").string();
    {
      index::writer writer{path};
      writer.run_deferred([](transaction& t) { t.put_meta("key", "value"); });
    }
    CHECK(index::reader{path}.meta("key") == "value");
  }
}

TEST_CASE("pending changes that cannot be stored are reported, and the writer goes on") {
  index_fixture f{std::chrono::hours{1}};
  std::string why;
  f.writer.on_rollback([&](const std::string& what) { why = what; });
  insert_deferred(f, "a");
  CHECK_THROWS(f.writer.run_deferred([](transaction&) { throw std::runtime_error("no room"); }));
  f.writer.run([](transaction&) {});
  CHECK(why == "no room");
  CHECK_FALSE(f.writer.pending());
  f.writer.commit_pending();
  CHECK_FALSE(f.at("a"));
  insert_deferred(f, "c");
  f.writer.commit_pending();
  CHECK(f.at("c"));
  CHECK(f.readers.borrow()->totals().of(state::added).files == 1);
}

TEST_CASE("what is called after a commit may throw: the others are called, and the writer goes on") {
  index_fixture f;
  std::vector<int> called;
  const auto after = [&](int number, auto thrown) {
    return [&called, number, thrown](std::exception_ptr) {
      called.push_back(number);
      throw thrown;
    };
  };
  f.writer.on_change([](const std::vector<index::change>&) { throw std::runtime_error("an observer"); });
  {
    barrier gate{f.writer};
    const auto store = [](transaction& t) {
      t.put_meta("key", "value");
      t.note({index::change::what::content, 1, {}});
    };
    f.writer.post(store, after(1, std::runtime_error("one")));
    f.writer.post(store, after(2, 2));
    SECTION("in one transaction") {}
    SECTION("one by one") {
      f.writer.post([](transaction&) { throw std::runtime_error("a job"); }, after(3, 3));
    }
    f.writer.post(store, after(4, std::string("four")));
    gate.open();
  }
  f.writer.drain();
  REQUIRE(called.size() >= 3);
  CHECK(called.front() == 1);
  CHECK(called.back() == 4);
  CHECK(f.readers.borrow()->meta("key") == "value");
  CHECK_NOTHROW(f.writer.run([](transaction& t) { t.note({index::change::what::content, 1, {}}); }));
}

TEST_CASE("a job may throw anything, and the caller that waits for it gets that") {
  index_fixture f;
  CHECK_THROWS_AS(f.writer.run([](transaction&) { throw 1; }), int);
  CHECK_THROWS_AS(f.writer.run_deferred([](transaction&) { throw 1; }), int);
  f.writer.post([](transaction&) { throw 1; });
  f.writer.drain();
  CHECK_NOTHROW(f.writer.run([](transaction& t) { t.put_meta("key", "value"); }));
}

// The kernel knows files by their inodes: one that went with its row would be taken for the next.
TEST_CASE("an inode that was given out is not given out again, though its row could not be stored") {
  index_fixture f{std::chrono::hours{1}};
  const inode lost = insert_deferred(f, "a");
  CHECK_THROWS(f.writer.run_deferred([](transaction&) { throw std::runtime_error("no room"); }));
  const inode next = insert_deferred(f, "b");
  CHECK(next > lost);
  f.writer.commit_pending();
  CHECK(insert_deferred(f, "c") > next);
  f.writer.commit_pending();
  CHECK(f.at("b")->ino == next);
}

TEST_CASE("deferred and other jobs from several threads are all stored, in each thread's order") {
  index_fixture f;
  std::atomic<int> backwards = 0;
  {
    std::vector<std::jthread> threads;
    for (int n = 0; n < 4; ++n)
      threads.emplace_back([&f, &backwards, n] {
        index::readers committing{f.path, [&f] { f.writer.commit_pending(); }};
        for (int i = 0; i < 200; ++i) {
          const auto name = std::to_string(n) + "-" + std::to_string(i);
          insert_deferred(f, name);
          if (i % 7 == 0) f.writer.run([](transaction& t) { t.put_meta("key", "value"); });
          if (i % 5 == 0) f.writer.post([](transaction& t) { t.put_meta("key", "other"); });
          bool there = false;
          if (const auto mine = f.writer.pending())
            there = mine->rows().child(root_inode, name).has_value();
          else
            there = committing.borrow()->child(root_inode, name).has_value();
          backwards += !there;
        }
      });
  }
  CHECK(backwards == 0);
  f.writer.commit_pending();
  CHECK(f.readers.borrow()->totals().of(state::added).files == 800);
}

}  // namespace
}  // namespace ferryfs::test
