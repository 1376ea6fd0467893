// A destination with other file systems inside: mounts, and the same disk bound to another place.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/engine/scan/destination_scan.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

struct inside_fixture : fetch_fixture {
  temp_dir bound{"bound"};

  // Mounts another file system at a path, or the same one by another way.
  void mount_at(const std::string& path, const char* size = "size=4m") {
    if (::geteuid() != 0) skip("only root mounts a file system");
    std::filesystem::create_directories(on_disk(path));
    if (::mount("tmpfs", on_disk(path).c_str(), "tmpfs", 0, size) != 0) skip("a tmpfs cannot be mounted here");
  }
  void bind_at(const std::string& path) {
    if (::geteuid() != 0) skip("only root binds a directory");
    std::filesystem::create_directories(on_disk(path));
    if (::mount(bound.path().c_str(), on_disk(path).c_str(), nullptr, MS_BIND, nullptr) != 0) skip("no bind mounts");
  }
  waiting serve(const std::string& path) {
    const auto w = background(path);
    source.serve(path);
    return w;
  }
  std::size_t files_in(const std::string& path) const {
    std::size_t n = 0;
    for (const auto& e : std::filesystem::directory_iterator(on_disk(path))) n += e.is_regular_file() ? 1 : 0;
    return n;
  }
};

TEST_CASE("pictures land on file systems that are mounted inside the destination") {
  inside_fixture f;
  SECTION("another one") { f.mount_at("2025"); }
  SECTION("another one, deeper") { f.mount_at("2025/07"); }
  SECTION("the same disk, bound there") { f.bind_at("2025"); }
  const std::string content = content_of(100'000);
  f.gap("2025/07/a.jpg", content, long_ago, 0640);
  f.gap("2026/b.jpg", content_of(200));
  CHECK(f.serve("2025/07/a.jpg").became_local());
  CHECK(f.serve("2026/b.jpg").became_local());
  struct stat st {};
  REQUIRE(::lstat(f.on_disk("2025/07/a.jpg").c_str(), &st) == 0);
  CHECK(read_file(f.on_disk("2025/07/a.jpg")) == content);
  CHECK(st.st_mtim.tv_sec == long_ago);
  CHECK((st.st_mode & 07777) == 0640);
  CHECK(f.row("2025/07/a.jpg").local == f.row("2025/07/a.jpg").source);
  CHECK(f.files_in("2025/07") == 1);
  f.fetch.drain();
  CHECK_FALSE(f.partials_left());
}

TEST_CASE("many pictures land there together, beside others") {
  inside_fixture f;
  f.mount_at("a");
  f.bind_at("b");
  std::vector<std::pair<std::string, waiting>> all;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::string path = fmt::format("{}/{}.jpg", "abc"[i % 3], i);
    f.gap(path, content_of(1000 + i));
    all.emplace_back(path, f.background(path));
  }
  for (const auto& [path, w] : all) f.source.serve(path);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].second.became_local());
    CHECK(read_file(f.on_disk(all[i].first)) == content_of(1000 + i));
  }
}

TEST_CASE("one that is mounted while ferryfs runs is no hindrance") {
  inside_fixture f;
  f.gap("d/a.jpg", content_of(10)), f.gap("d/b.jpg", content_of(20));
  REQUIRE(f.serve("d/a.jpg").became_local());
  f.mount_at("d");
  CHECK(f.serve("d/b.jpg").became_local());
  CHECK(read_file(f.on_disk("d/b.jpg")) == content_of(20));
}

TEST_CASE("an outdated copy there is replaced, what somebody put there is not") {
  inside_fixture f;
  f.mount_at("d");
  f.gap("d/a.jpg", content_of(100), long_ago + 50);
  f.outdated_copy("d/a.jpg", "old", long_ago);
  CHECK(f.serve("d/a.jpg").became_local());
  CHECK(read_file(f.on_disk("d/a.jpg")) == content_of(100));
  f.gap("d/b.jpg", content_of(100));
  write_file(f.on_disk("d/b.jpg"), "mine");
  CHECK(f.serve("d/b.jpg").failed() == remote::cause::changed);
  CHECK(read_file(f.on_disk("d/b.jpg")) == "mine");
  CHECK(f.files_in("d") == 2);
}

TEST_CASE("holes stay holes on the way there") {
  inside_fixture f;
  f.mount_at("d");
  const inode ino = f.gap("d/a.raw", std::string(1U << 20, '\0') + content_of(1000));
  const auto partial = f.where.create_partial(ino, 0644);
  const std::string tail = content_of(1000);
  REQUIRE(::pwrite(partial.get(), tail.data(), tail.size(), 1U << 20) == 1000);
  const auto directory = f.where.open("d", O_RDONLY | O_DIRECTORY);
  REQUIRE(f.where.carry_partial(ino, directory) == 0);
  REQUIRE(f.where.rename_into_place(ino, directory.get(), "a.raw", false) == 0);
  struct stat st {};
  REQUIRE(::stat(f.on_disk("d/a.raw").c_str(), &st) == 0);
  CHECK(read_file(f.on_disk("d/a.raw")) == std::string(1U << 20, '\0') + tail);
  CHECK(st.st_blocks * 512 < 100'000);
}

TEST_CASE("one that is full fails its picture and says why; others go on") {
  inside_fixture f;
  f.mount_at("d", "size=64k");
  f.gap("d/a.jpg", content_of(1U << 20));
  f.gap("e/b.jpg", content_of(20));
  const auto w = f.serve("d/a.jpg");
  CHECK(w.failed() == remote::cause::misplaced);
  const auto why = std::get<remote::failure>(w.get()).text;
  CHECK_THAT(why, contains_text("d/a.jpg"));
  CHECK_THAT(why, contains_text("No space left"));
  CHECK(f.row("d/a.jpg").state == state::failed);
  CHECK(f.files_in("d") == 0);
  CHECK(f.serve("e/b.jpg").became_local());
  f.fetch.drain();
  CHECK_FALSE(f.partials_left());
}

TEST_CASE("what a crash left there of such a copy is removed, and never a picture") {
  inside_fixture f;
  f.mount_at("d");
  write_file(f.on_disk("d/.ferryfs-77.part"), "half");
  write_file(f.on_disk("d/.ferryfs-x.part"), "somebody's");
  remote::directory_cache none;
  remote::scan_destination(f.where, f.writer, f.readers, {}, none);
  CHECK_FALSE(std::filesystem::exists(f.on_disk("d/.ferryfs-77.part")));
  CHECK_FALSE(f.at("d/.ferryfs-77.part"));
  CHECK(f.at("d/.ferryfs-x.part"));
}

}  // namespace
}  // namespace ferryfs::test
