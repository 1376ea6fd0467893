// A thread that takes locks against their order is told so, in the builds that look.
#include "index/base/lock_order.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

constexpr source_place here{"file.cpp", 7};

// What a process of its own prints that does this; empty: it ends well.
template <typename Work>
std::string last_words(Work work) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // not the test's own business
    ::dup2(ends[1], STDERR_FILENO);
    work();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 512> part;
  for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) return "";
  return text;
}

}  // namespace

TEST_CASE("a lock may be taken below those that are held, and objects by both names above and beside them") {
  const ordered_lock above{lock_level::name_space, here}, below{lock_level::picture, here},
      leaf{lock_level::leaf, here}, other{lock_level::leaf, here};
  CHECK(below.objection().empty());
  below.enter();
  CHECK(leaf.objection().empty());
  CHECK(above.objection() == "namespace (file.cpp:7) is taken under picture (file.cpp:7)");
  leaf.enter();
  CHECK(other.objection() == "leaf (file.cpp:7) is taken under leaf (file.cpp:7)");
  below.leave();
  CHECK_FALSE(above.objection().empty());
  leaf.leave();
  CHECK(above.objection().empty());
  leaf.leave();  // it is not held
  CHECK(above.objection().empty());
}

TEST_CASE("what one thread holds is none of another's") {
  const ordered_lock above{lock_level::name_space, here}, below{lock_level::leaf, here};
  below.enter();
  std::string objection = "none was asked";
  {
    const thread other{"other", [&](const std::stop_token&) { objection = above.objection(); }};
  }
  CHECK(objection.empty());
  CHECK(below.is_held());
  below.leave();
}

TEST_CASE("a thread that takes a mutex out of order ends the program, where that is looked at") {
  const auto words = [](lock_level first, lock_level second) {
    return last_words([=] {
      mutex a{first}, b{second};
      const lock outer{a};
      const lock inner{b};
    });
  };
  CHECK(words(lock_level::scanner, lock_level::source_scan).empty());
  const std::string wrong = words(lock_level::source_scan, lock_level::scanner);
  CHECK(wrong.empty() != checks_lock_order);
  if (checks_lock_order)
    CHECK_THAT(wrong, contains_text("locks out of order: scanner (") && contains_text("is taken under source scan ("));
}

TEST_CASE("a wait gives its lock up and takes it again, where another of its level may be taken meanwhile") {
  const auto words = last_words([] {
    mutex mine{lock_level::leaf}, others{lock_level::scanner};
    condition changed;
    lock held{mine};
    changed.wait_for(held, std::chrono::milliseconds(1), [] { return false; });
    held.unlock();
    const lock outer{others};
    held.relock();
  });
  CHECK(words.empty());
}

}  // namespace ferryfs::test
