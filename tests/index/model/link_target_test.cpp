// Where links lead, against a table and against what the kernel says of the same tree on a disk.
#include "index/model/link_target.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "tests/catch.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {
namespace {

using index::follow;
using index::leads;
namespace stdfs = std::filesystem;

// A tree in memory. Directories that were made are listed, unless it is said that they are not.
struct fake_tree : index::link_tree {
  std::map<std::pair<inode, std::string>, node> names;
  std::map<inode, inode> parents;
  std::set<inode> never_listed;

  inode directory(inode in, const std::string& name) {
    const inode made = root_inode + parents.size() + 1;
    names[{in, name}] = {kind::directory, made, ""};
    parents[made] = in;
    return made;
  }
  void link(inode in, const std::string& name, std::string target) {
    names[{in, name}] = {kind::link, 0, std::move(target)};
  }
  void file(inode in, const std::string& name) { names[{in, name}] = {kind::file, 0, ""}; }

  node child(inode in, std::string_view name) override {
    const auto at = names.find({in, std::string(name)});
    if (at != names.end()) return at->second;
    return {never_listed.contains(in) ? kind::unlisted : kind::none, 0, ""};
  }
  std::optional<inode> parent(inode in) override {
    const auto at = parents.find(in);
    return at == parents.end() ? std::nullopt : std::optional(at->second);
  }
};

// day/sub/1.jpg, and links of which each leads by itself to where it says.
struct archive : fake_tree {
  inode day = directory(root_inode, "day");
  inode sub = directory(day, "sub");
  inode unread = directory(root_inode, "unread");
  archive() {
    never_listed.insert(unread);
    file(sub, "1.jpg"), file(day, "2.jpg");
    link(root_inode, "here", "."), link(root_inode, "etc", "/etc"), link(root_inode, "today", "day/sub");
    link(day, "up", ".."), link(day, "down", "sub"), link(sub, "top", "../.."), link(sub, "last", "1.jpg");
    link(root_inode, "a", "b"), link(root_inode, "b", "a"), link(root_inode, "self", "self");
    link(root_inode, "by-etc", "etc/passwd"), link(root_inode, "dangling", "no/where");
  }
  leads from_day(const std::string& target) { return follow(*this, day, target, {"/srv/new", "/mnt/view"}); }
};

TEST_CASE("a link leads where the kernel would be led", "[links]") {
  archive t;
  const std::vector<std::pair<leads, std::vector<std::string>>> table{
      {leads::inside,
       {"2.jpg",
        "sub",
        "sub/",
        "sub//./1.jpg",
        ".",
        "./",
        "..",
        "../",
        "../day/sub/1.jpg",
        "down/1.jpg",
        "sub/last",
        "down/../2.jpg",
        "up/day/sub",
        "sub/top/day",
        "../today/1.jpg",
        "../today/../2.jpg",
        "../here/here/day",
        "up/dangling",
        "../unread",
        "../unread/"}},
      // Targets that do not exist: whatever is made under these names, they lead no further up.
      {leads::inside, {"absent.jpg", "absent/below.jpg", "sub/absent", "../absent/./a//b", "2.jpg/x"}},
      {leads::outside,
       {"../..", "../../etc/passwd", "/etc/passwd", "/", "//etc", "sub/../../..", "up/..", "up/../outside",
        "up/../day/2.jpg", "sub/top/..", "sub/top/../x", "../here/..", "../here/here/../day", "../today/../../..",
        "../etc/passwd", "../by-etc", "../etc", "../../archive/day/2.jpg"}},
      {leads::outside, {"../.ferryfs", "../.ferryfs/index.db", "up/.ferryfs/control", "../here/./.ferryfs/log"}},
      {leads::around, {"../a", "../b/x", "../self", "../a/../.."}},
      // The directories that are made there one day decide whether these lead out.
      {leads::unknown,
       {"absent/../x", "absent/../../..", "sub/absent/..", "2.jpg/..", "absent/.ferryfs", "../unread/x",
        "../unread/x/y", "up/unread/a/../../../.."}},
  };
  for (const auto& [where, targets] : table)
    for (const auto& target : targets) {
      CAPTURE(target);
      CHECK(t.from_day(target) == where);
    }
}

TEST_CASE("an absolute target below where the archive stands is one from its top", "[links]") {
  archive t;
  for (const char* target : {"/srv/new", "/srv/new/", "/srv/new/day/2.jpg", "//srv/./new//day", "/mnt/view/day/sub/..",
                             "/srv/new/today/1.jpg", "/srv/new/absent"}) {
    CAPTURE(target);
    CHECK(t.from_day(target) == leads::inside);
  }
  for (const char* target :
       {"/srv", "/srv/news/day", "/srv/new2", "/srv/new/..", "/srv/new/day/../../x", "/srv/new/../new/day",
        "/srv/../srv/new/day", "/mnt/view/.ferryfs/index.db", "/srv/new/day/up/..", "/mnt/VIEW/day"}) {
    CAPTURE(target);
    CHECK(t.from_day(target) == leads::outside);
  }
  CHECK(follow(t, t.day, "/etc/passwd", {"/"}) == leads::outside);
  CHECK(follow(t, t.day, "/etc/passwd", {""}) == leads::outside);
  CHECK(follow(t, t.day, "/srv/new/day", {}) == leads::outside);
  // Of two, the one that says more of the way.
  CHECK(follow(t, t.day, "/srv/new/..", {"/srv", "/srv/new"}) == leads::outside);
}

// A C string of it would end early, and lead elsewhere than what was judged.
TEST_CASE("a target that no disk can hold leads nobody", "[links]") {
  archive t;
  const std::string two_up("..\0x/..", 7), here("2.jpg\0", 6);
  for (const auto& target : {two_up, here, "sub/" + two_up, std::string(4096, 'a'), std::string(5000, '/')}) {
    CHECK(t.from_day(target) == leads::unknown);
    t.link(t.day, "bad", target);
    CHECK(t.from_day("bad") == leads::unknown);
  }
  CHECK(t.from_day(std::string(4095, 'a')) == leads::inside);
  // Each link's way is short, and all of them together are not.
  std::string way;
  while (way.size() < 4000) way += "./sub/..//";
  for (int i = 0; i < 30; ++i) t.link(t.day, std::to_string(i), way + '/' + std::to_string(i + 1));
  CHECK(t.from_day("29") == leads::inside);
  CHECK(t.from_day("0") == leads::around);
}

TEST_CASE("a link in the top directory has nothing above it", "[links]") {
  archive t;
  for (const char* target : {"..", "../x", "day/../..", "./.."})
    CHECK(follow(t, root_inode, target, {}) == leads::outside);
  for (const char* target : {"day/..", ".", "day/sub/../../day"})
    CHECK(follow(t, root_inode, target, {}) == leads::inside);
}

TEST_CASE("forty links in a row are followed, and no more", "[links]") {
  for (const unsigned n : {38U, 39U, 40U, 41U, 100U}) {
    fake_tree t;
    t.file(root_inode, "0");
    for (unsigned i = 1; i <= n; ++i) t.link(root_inode, std::to_string(i), std::to_string(i - 1));
    CAPTURE(n);
    CHECK(follow(t, root_inode, std::to_string(n), {}) == (n <= 39 ? leads::inside : leads::around));
  }
}

TEST_CASE("a tree that is damaged leads nobody round for ever", "[links]") {
  fake_tree t;
  const inode lost = 999;  // no row says where it is
  t.names[{root_inode, "lost"}] = {index::link_tree::kind::directory, lost, ""};
  CHECK(follow(t, root_inode, "lost/..", {}) == leads::outside);
  t.link(root_inode, "wide", "wide/wide/wide/wide");
  CHECK(follow(t, root_inode, "wide", {}) == leads::around);
}

// The same random tree in memory and on a disk, whose kernel is asked to stay beneath the top.
class random_tree {
 public:
  explicit random_tree(unsigned seed) : random_(seed) {
    stdfs::create_directory(top());
    directories_.push_back({root_inode, top()});
    for (unsigned i = 0; i < 4; ++i) add_directory();
    for (unsigned i = 0; i < 12; ++i) add_link();
    for (unsigned i = 0; i < 2; ++i) add_file();
  }

  // Of each link, both answers.
  template <typename Each>
  void compare(Each&& each) {
    const int root = ::open(top().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(root >= 0);
    for (const auto& [directory, path, target] : links_) {
      open_how how{};
      how.flags = O_PATH | O_CLOEXEC;
      how.resolve = RESOLVE_BENEATH;
      const auto relative = path.lexically_relative(top()).string();
      long fd = -1;
      do fd = ::syscall(SYS_openat2, root, relative.c_str(), &how, sizeof how);
      while (fd < 0 && errno == EAGAIN);
      const int problem = fd < 0 ? errno : 0;
      if (fd >= 0) ::close(static_cast<int>(fd));
      each(follow(tree_, directory, target, {}), problem, relative + " -> " + target);
    }
    ::close(root);
  }

 private:
  struct place {
    inode ino;
    stdfs::path path;
  };
  struct made_link {
    inode directory;
    stdfs::path path;
    std::string target;
  };
  stdfs::path top() const { return dir_ / "top"; }
  unsigned below(unsigned n) { return std::uniform_int_distribution<unsigned>{0, n - 1}(random_); }
  std::string name() { return std::string(1, static_cast<char>('a' + below(5))); }
  const place& any() { return directories_[below(static_cast<unsigned>(directories_.size()))]; }
  bool taken(const place& in, const std::string& n) { return tree_.names.contains({in.ino, n}); }

  void add_directory() {
    const place in = any();
    const auto n = name();
    if (taken(in, n)) return;
    stdfs::create_directory(in.path / n);
    directories_.push_back({tree_.directory(in.ino, n), in.path / n});
  }
  void add_file() {
    const place in = any();
    const auto n = name();
    if (taken(in, n)) return;
    ::close(::open((in.path / n).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    tree_.file(in.ino, n);
  }
  void add_link() {
    const place in = any();
    const auto n = name();
    if (taken(in, n)) return;
    std::string target = below(12) == 0 ? "/" : "";
    for (unsigned i = 0, parts = 1 + below(4); i < parts; ++i) {
      const unsigned kind = below(8);
      target += (kind < 3 ? ".." : kind == 3 ? "." : name()) + (i + 1 < parts || below(6) == 0 ? "/" : "");
    }
    stdfs::create_symlink(target, in.path / n);
    tree_.link(in.ino, n, target);
    links_.push_back({in.ino, in.path / n, target});
  }

  const temp_dir dir_{"links"};
  std::mt19937 random_;
  fake_tree tree_;
  std::vector<place> directories_;
  std::vector<made_link> links_;
};

TEST_CASE("in any tree a link leads where the kernel says that it leads", "[links]") {
  std::map<int, unsigned> seen;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    random_tree t{seed};
    t.compare([&](leads where, int problem, const std::string& link) {
      CAPTURE(seed, link, problem);
      ++seen[problem];
      if (problem == 0)
        CHECK(where == leads::inside);
      else if (problem == EXDEV)
        CHECK(where == leads::outside);
      else if (problem == ELOOP)
        CHECK(where == leads::around);
      else if (problem == ENOENT || problem == ENOTDIR)  // it ends on the way: what follows there decides
        CHECK((where == leads::inside || where == leads::unknown));
      else
        FAIL("the kernel says errno " << problem);
    });
  }
  for (const int problem : {0, EXDEV, ELOOP, ENOENT}) CHECK(seen[problem] > 50);
}

}  // namespace
}  // namespace ferryfs::test
