// Changes left by a crash or an earlier version are synced, written as lines and forgotten at the next start.
#include "remote/engine/durable/durable_changes.hpp"

#include <sys/stat.h>

#include "index/update/decision.hpp"
#include "index/update/local_change.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

struct changes_fixture {
  temp_dir disk{"changes"};
  taken_destination where{disk.path()};
  index::writer writer{where.index_path()};

  changes_fixture() {
    for (const char* name : {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}) put(root_inode, name);
    put(put(root_inode, "day", S_IFDIR | 0755), "x.jpg");
  }
  inode put(inode parent, const std::string& name, std::uint32_t mode = S_IFREG | 0644) {
    entry e;
    e.parent = parent, e.name = name, e.source = file_facts{mode, 5, second}, e.state = state::missing;
    return writer.run([&](index::transaction& t) { return t.insert(e); });
  }
  inode ino(const char* path) { return index::reader{where.index_path()}.at(path).value().ino; }
  // Verbs and paths alone.
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream text{read_file(disk / ".ferryfs/decisions")};
    for (std::string line; std::getline(text, line);) all.push_back(line.substr(line.find('\t') + 1));
    return all;
  }
};

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a decision stands in the file soon, by itself, and is not told twice") {
  changes_fixture f;
  {
    remote::durable_changes changes{f.where, f.writer};
    changes.start();
    f.writer.run([&](index::transaction& t) { index::apply_removal(t, t.child(root_inode, "a.jpg")->ino, 1); });
    CHECK(wait_until([&] { return std::filesystem::exists(f.disk / ".ferryfs/decisions"); }, 20s));
    CHECK(wait_until([&] { return f.lines() == texts{"deleted\ta.jpg"}; }, 20s));
    f.writer.run([&](index::transaction& t) { index::apply_skip(t, t.child(root_inode, "b.jpg")->ino); });
  }
  remote::durable_changes again{f.where, f.writer};
  again.start();
  again.finish();
  CHECK(f.lines() == texts{"deleted\ta.jpg", "skipped\tb.jpg"});
}

TEST_CASE("renames that the disk was about to be synced for when the process ended are forgotten after the next sync") {
  changes_fixture f;
  f.writer.run([&](index::transaction& t) {
    t.intend_rename({f.ino("a.jpg"), root_inode, "z.jpg", 0, 1});
    t.finish_rename(f.ino("a.jpg"));
    t.mark_renames_done();
  });
  remote::durable_changes changes{f.where, f.writer};
  changes.start();
  CHECK(wait_until([&] { return f.writer.run([](index::transaction& t) { return t.renaming().empty(); }); }, 20s));
}

TEST_CASE(
    "an index without a file of decisions, of an older version or where it was taken away, writes what is in force") {
  changes_fixture f;
  const auto change = [&](auto work) { f.writer.run([&](index::transaction& t) { work(t); }); };
  change([&](index::transaction& t) {
    index::apply_rename(t, t.child(root_inode, "a.jpg")->ino, root_inode, "b2.jpg", 1);
    index::apply_removal(t, t.child(root_inode, "b.jpg")->ino, 1);
    index::apply_rename(t, t.child(root_inode, "b2.jpg")->ino, root_inode, "b.jpg", 1);
    index::apply_rename(t, t.child(t.child(root_inode, "day")->ino, "x.jpg")->ino, root_inode, "x.jpg", 1);
    index::apply_rename(t, t.child(root_inode, "day")->ino, root_inode, "one day", 1);
    index::apply_skip(t, t.child(root_inode, "c.jpg")->ino);
    t.forget_decisions(1'000'000);  // no version before had these lines
  });
  remote::durable_changes changes{f.where, f.writer};
  changes.start();
  changes.finish();
  const texts in_force{"renamed\tday/x.jpg\t.ferryfs-rename-1", "deleted\tb.jpg",
                       "renamed\ta.jpg\t.ferryfs-rename-2",     "renamed\tday\t.ferryfs-rename-3",
                       "renamed\t.ferryfs-rename-1\tx.jpg",     "renamed\t.ferryfs-rename-2\tb.jpg",
                       "renamed\t.ferryfs-rename-3\tone day",   "skipped\tc.jpg"};
  CHECK(f.lines() == in_force);
  std::filesystem::remove(f.disk / ".ferryfs/decisions");
  remote::durable_changes again{f.where, f.writer};
  again.start();
  again.finish();
  CHECK(f.lines() == in_force);
}

}  // namespace ferryfs::test
