// The notifications of the kernel after a scan.
#include <mutex>

#include "index/update/merge.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::change;
using index::side;

struct notice_fixture : index_fixture {
  std::mutex mutex;
  std::vector<change> notified;
  notice_fixture() {
    writer.on_change([this](std::vector<change> changes) {
      const std::lock_guard lock{mutex};
      notified.insert(notified.end(), changes.begin(), changes.end());
    });
  }
  bool was_notified(decltype(change::what::dentry) what, inode ino, const std::string& name = "") {
    const std::lock_guard lock{mutex};
    return std::any_of(notified.begin(), notified.end(),
                       [&](const change& c) { return c.what == what && c.ino == ino && c.name == name; });
  }
  bool silent() {
    const std::lock_guard lock{mutex};
    return notified.empty();
  }
};

TEST_CASE("the kernel is told nothing of a directory's first listing, which it cannot have seen") {
  notice_fixture f;
  const inode d = f.insert(root_inode, "d", directory_side());
  f.list(side::source, d, "d", {named("a.jpg", file_side(1)), named("b.jpg", file_side(1))});
  CHECK(f.silent());
}

TEST_CASE("the kernel is told of a directory that its first listing shows to be of another time") {
  notice_fixture f;
  // A program that looked at it before, or at the root of a new archive, has the kernel keep its attributes.
  const inode d = f.insert(root_inode, "d", directory_side());
  const auto now = GENERATE(std::int64_t{1000}, std::int64_t{2000});
  f.list(side::source, d, "d", {}, now);
  CHECK(f.was_notified(change::what::listing, d) == (now == 2000));
  f.list(side::source, root_inode, "", {named("d", directory_side(now))}, now);
  CHECK(f.was_notified(change::what::listing, root_inode));
}

TEST_CASE("the kernel is told of a picture that appears on the source later") {
  notice_fixture f;
  const inode d = f.insert(root_inode, "d", directory_side());
  f.list(side::source, d, "d", {named("a.jpg", file_side(1))});
  f.list(side::source, d, "d", {named("a.jpg", file_side(1)), named("b.jpg", file_side(1))});
  CHECK(f.was_notified(change::what::dentry, d, "b.jpg"));
  CHECK(f.was_notified(change::what::listing, d));
  CHECK_FALSE(f.was_notified(change::what::dentry, d, "a.jpg"));
}

TEST_CASE("the kernel is told of a picture that left") {
  notice_fixture f;
  const inode d = f.insert(root_inode, "d", directory_side());
  f.list(side::source, d, "d", {named("a.jpg", file_side(1)), named("b.jpg", file_side(1))});
  f.list(side::source, d, "d", {named("a.jpg", file_side(1))});
  CHECK(f.was_notified(change::what::dentry, d, "b.jpg"));
  CHECK(f.was_notified(change::what::listing, d));
}

TEST_CASE("the kernel is told of a picture with another size, or another kind") {
  notice_fixture f;
  const inode d = f.insert(root_inode, "d", directory_side());
  f.list(side::source, d, "d", {named("a.jpg", file_side(1)), named("b", file_side(1)), named("c.jpg", file_side(1))});
  f.list(side::source, d, "d",
         {named("a.jpg", file_side(2)), named("b", directory_side()), named("c.jpg", file_side(1))});
  CHECK(f.was_notified(change::what::content, f.row("d/a.jpg").ino));
  CHECK(f.was_notified(change::what::dentry, d, "b"));
  CHECK_FALSE(f.was_notified(change::what::content, f.row("d/c.jpg").ino));
}

TEST_CASE("the kernel is told nothing of a picture that is found to be here already") {
  notice_fixture f;
  const inode d = f.insert(root_inode, "d", directory_side(), directory_side());
  f.list(side::source, d, "d", {named("a.jpg", file_side(1))});
  f.list(side::destination, d, "d", {named("a.jpg", file_side(1))});
  CHECK(f.silent());
}

}  // namespace
}  // namespace ferryfs::test
