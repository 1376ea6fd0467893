#include "remote/source/local/directory_archive.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <map>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"

namespace ferryfs::test {
namespace {

using remote::attributes;
using remote::cause;
using remote::directory_entry;
using remote::failure;
using remote::reading;

struct collector final : remote::listing {
  std::map<std::string, directory_entry> all;
  std::promise<std::optional<failure>> end;
  void batch(std::vector<directory_entry> names) override {
    for (auto& f : names) all.emplace(f.name, f);
  }
  std::map<std::string, std::string> not_here;
  void refused(std::string name, std::string why) override { not_here.emplace(std::move(name), std::move(why)); }
  void finished(const std::optional<failure>& why) override { end.set_value(why); }
};

// Wants these ranges, one after the other, and keeps what comes.
struct reader final : reading {
  std::string where;
  std::vector<remote::range> wanted;
  std::size_t at = 0;
  std::atomic<bool> held_back = false, asked = false;
  std::map<std::uint64_t, std::string> came;
  attributes after;
  std::promise<std::optional<failure>> end;

  reader(std::string path, std::vector<remote::range> ranges) : where(std::move(path)), wanted(std::move(ranges)) {}
  const std::string& path() const override { return where; }
  next next_range(std::uint32_t) override {
    asked = true;
    if (held_back) return {remote::next_step::throttled, {}};
    if (at == wanted.size()) return {remote::next_step::done, {}};
    return {remote::next_step::more, wanted[at++]};
  }
  void arrived(std::uint64_t offset, std::span<const std::byte> bytes) override {
    came[offset] += std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finished(const std::optional<failure>& why, const attributes& a) override { after = a, end.set_value(why); }
};

struct directory_fixture {
  temp_dir dir{"source"};
  temp_dir outside{"outside"};
  std::unique_ptr<remote::directory_archive> archive;

  directory_fixture() {
    write_file(outside / "secret", "not yours");
    write_file(dir / "2013/a.jpg", "0123456789");
    std::filesystem::create_directory_symlink(outside.path(), dir / "out");
    std::filesystem::create_symlink(outside / "secret", dir / "2013/secret");
    archive = std::make_unique<remote::directory_archive>(dir.path().string());
  }
  std::pair<std::shared_ptr<collector>, std::optional<failure>> list(const std::string& path) {
    auto to = std::make_shared<collector>();
    archive->list(path, to);
    auto why = to->end.get_future().get();
    return {to, why};
  }
  std::pair<std::optional<failure>, attributes> stat(const std::string& path) {
    std::promise<std::pair<std::optional<failure>, attributes>> p;
    archive->stat(path, [&](const auto& why, const auto& a) { p.set_value({why, a}); });
    return p.get_future().get();
  }
  std::pair<std::shared_ptr<reader>, std::optional<failure>> read(const std::string& path,
                                                                  std::vector<remote::range> ranges) {
    auto to = std::make_shared<reader>(path, std::move(ranges));
    archive->read(to, remote::priority::demand);
    auto why = to->end.get_future().get();
    return {to, why};
  }
};

TEST_CASE("a local source lists directories, files and links, with sizes and targets") {
  directory_fixture f;
  REQUIRE(::mkfifo((f.dir / "pipe").c_str(), 0644) == 0);
  const auto [root, why] = f.list("");
  CHECK_FALSE(why);
  CHECK(root->all.size() == 2);
  CHECK_THAT(root->not_here["pipe"], contains_text("a pipe"));
  CHECK(S_ISDIR(root->all["2013"].attrs.mode));
  CHECK(root->all["out"].target == f.outside.path());
  const auto [below, why_below] = f.list("2013");
  CHECK_FALSE(why_below);
  CHECK(below->all["a.jpg"].attrs.size == 10);
  CHECK(S_ISLNK(below->all["secret"].attrs.mode));
}

TEST_CASE("a large local directory is listed whole") {
  directory_fixture f;
  for (int i = 0; i < 1500; ++i) write_file(f.dir / "many" / std::to_string(i), "");
  CHECK(f.list("many").first->all.size() == 1500);
}

TEST_CASE("a local file is read in the ranges that are wanted, and looked at afterwards") {
  directory_fixture f;
  const timespec times[] = {{1000, 0}, {1234, 999'999'999}};
  REQUIRE(::utimensat(AT_FDCWD, (f.dir / "2013/a.jpg").c_str(), times, 0) == 0);
  const auto [to, why] = f.read("2013/a.jpg", {{7, 3}, {0, 2}, {2, 5}});
  CHECK_FALSE(why);
  CHECK(to->came == std::map<std::uint64_t, std::string>{{0, "01"}, {2, "23456"}, {7, "789"}});
  CHECK(to->after.size == 10);
  CHECK(to->after.mtime == 1234);
}

TEST_CASE("a local file that became shorter has changed, and what it shows now is told") {
  directory_fixture f;
  const auto [to, why] = f.read("2013/a.jpg", {{5, 10}});
  CHECK(why.value().why == cause::changed);
  CHECK(to->after.size == 10);
  CHECK(S_ISREG(to->after.mode));
}

TEST_CASE("no symbolic link is followed, neither out of a local source nor within it") {
  directory_fixture f;
  CHECK(f.list("out").second);
  CHECK(f.list("2013/../../x").second);
  CHECK(f.read("out/secret", {{0, 5}}).second);
  CHECK(f.read("2013/secret", {{0, 5}}).second);
  CHECK(f.read("../" + f.outside.path().filename().string() + "/secret", {{0, 5}}).second);
  CHECK(f.read(f.outside / "secret", {{0, 5}}).second);
  CHECK(f.stat("out/secret").first);
  std::filesystem::create_directory_symlink("2013", f.dir / "latest");
  CHECK(f.read("latest/a.jpg", {{0, 5}}).second);
}

TEST_CASE("a link in a local source is looked at as a link") {
  directory_fixture f;
  const auto [why, shown] = f.stat("2013/secret");
  CHECK_FALSE(why);
  CHECK(S_ISLNK(shown.mode));
  CHECK(S_ISDIR(f.stat("").second.mode));
}

TEST_CASE("what vanished from a local source is not there") {
  directory_fixture f;
  for (const auto* path : {"gone.jpg", "gone/a.jpg", "2013/a.jpg/x"}) {
    CHECK(f.read(path, {{0, 1}}).second.value().why == cause::not_found);
    CHECK(f.stat(path).first.value().why == cause::not_found);
    CHECK(f.list(path).second.value().why == cause::not_found);
    CHECK_THAT(f.stat(path).first->text, contains_text(path));
  }
}

TEST_CASE("a pipe in a local source holds nobody up") {
  directory_fixture f;
  REQUIRE(::mkfifo((f.dir / "pipe").c_str(), 0644) == 0);
  CHECK(f.read("pipe", {{0, 1}}).second);
}

TEST_CASE("a local source that is no directory is refused") {
  const temp_dir dir;
  write_file(dir / "file", "");
  CHECK_THROWS_AS(remote::directory_archive((dir / "absent").string()), failure);
  CHECK_THROWS_AS(remote::directory_archive((dir / "file").string()), failure);
}

TEST_CASE("a reader does not wait for background reads that are held back by a limit") {
  directory_fixture f;
  std::vector<std::shared_ptr<reader>> background;
  for (int i = 0; i < 4; ++i) {
    background.push_back(std::make_shared<reader>("2013/a.jpg", std::vector<remote::range>{{0, 1}}));
    background.back()->held_back = true;
    f.archive->read(background.back(), remote::priority::background);
  }
  REQUIRE(wait_until([&] { return background[0]->asked && background[1]->asked; }));
  CHECK_FALSE(f.read("2013/a.jpg", {{0, 1}}).second);

  background[3]->held_back = false;
  f.archive->promote(background[3]);
  CHECK_FALSE(background[3]->end.get_future().get());
  for (int i = 0; i < 3; ++i) background[static_cast<std::size_t>(i)]->held_back = false;
  for (int i = 0; i < 3; ++i) CHECK_FALSE(background[static_cast<std::size_t>(i)]->end.get_future().get());
}

TEST_CASE("a local source that is stopped ends every request, and takes no more") {
  directory_fixture f;
  std::vector<std::shared_ptr<reader>> readers;
  for (int i = 0; i < 6; ++i) {
    readers.push_back(std::make_shared<reader>("2013/a.jpg", std::vector<remote::range>{{0, 1}}));
    readers.back()->held_back = true;
    f.archive->read(readers.back(), remote::priority::background);
  }
  f.archive->stop();
  for (const auto& r : readers) CHECK(r->end.get_future().get().value().why == cause::cancelled);
  CHECK(f.read("2013/a.jpg", {{0, 1}}).second.value().why == cause::cancelled);
  CHECK(f.list("").second.value().why == cause::cancelled);
  CHECK(f.stat("").first.value().why == cause::cancelled);
}

}  // namespace
}  // namespace ferryfs::test
