// Names given on file systems that can't rename without replacing.
#include "remote/files/rename.hpp"

#include <sys/syscall.h>

#include <cerrno>

#include "tests/doubles/refused_syscalls.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

refused_syscall flags_of_rename(int error) { return {SYS_renameat2, error, 4}; }

// The ways in which file systems say no.
const std::vector<std::vector<refused_syscall>> lacks{
    {flags_of_rename(EINVAL)},
    {flags_of_rename(ENOSYS)},
    {flags_of_rename(EOPNOTSUPP)},
    {flags_of_rename(EINVAL), {SYS_linkat, EPERM}},
    {flags_of_rename(EINVAL), {SYS_linkat, EOPNOTSUPP}},
    {flags_of_rename(EINVAL), {SYS_linkat, ENOSYS}},
};

TEST_CASE("pictures land where the file system takes no flags in renames, with and without links") {
  for (const auto& lack : lacks)
    run_with_refused(lack, [] {
      fetch_fixture f;
      f.gap("d/a.jpg", content_of(100));
      const auto w = f.background("d/a.jpg");
      f.source.serve("d/a.jpg");
      CHECK(w.became_local());
      CHECK(read_file(f.on_disk("d/a.jpg")) == content_of(100));
      CHECK(f.row("d/a.jpg").state == state::common);
      f.fetch.drain();
      CHECK_FALSE(f.partials_left());
    });
}

TEST_CASE("nor is a file overwritten there that came to stand under the name meanwhile") {
  for (const auto& lack : lacks)
    run_with_refused(lack, [] {
      fetch_fixture f;
      f.gap("d/a.jpg", content_of(100));
      const auto w = f.background("d/a.jpg");
      f.source.answer_all("d/a.jpg");
      write_file(f.on_disk("d/a.jpg"), "mine");
      f.source.finish("d/a.jpg");
      CHECK(w.failed() == remote::cause::changed);
      f.writer.run([](index::transaction&) {});
      CHECK(read_file(f.on_disk("d/a.jpg")) == "mine");
      CHECK(f.row("d/a.jpg").state == state::conflict);
      f.fetch.drain();
      CHECK_FALSE(f.partials_left());
    });
}

TEST_CASE("a copy that was fetched before the source changed is replaced there as well") {
  run_with_refused(lacks.front(), [] {
    fetch_fixture f;
    f.gap("a.jpg", content_of(100), long_ago + 50);
    f.outdated_copy("a.jpg", "old", long_ago);
    const auto w = f.background("a.jpg");
    f.source.serve("a.jpg");
    CHECK(w.became_local());
    CHECK(read_file(f.on_disk("a.jpg")) == content_of(100));
  });
}

TEST_CASE("a directory and a symbolic link are renamed without replacing where no flags are taken") {
  run_with_refused(lacks.front(), [] {
    const temp_dir dir;
    std::filesystem::create_directory(dir / "d");
    std::filesystem::create_symlink("nowhere", dir / "l");
    write_file(dir / "taken", "mine");
    const unique_fd at{::open(dir.path().c_str(), O_PATH | O_DIRECTORY)};
    const auto rename = [&](const char* from, const char* to) {
      return rename_no_replace(at.get(), from, at.get(), to, no_links::look_first);
    };
    CHECK(rename("d", "taken") == EEXIST);
    CHECK(rename("d", "e") == 0);
    CHECK(std::filesystem::is_directory(dir / "e"));
    CHECK(rename("l", "taken") == EEXIST);
    CHECK(rename("l", "m") == 0);
    CHECK(std::filesystem::read_symlink(dir / "m") == "nowhere");
    CHECK(rename("absent", "n") == ENOENT);
    CHECK(read_file(dir / "taken") == "mine");
  });
}

TEST_CASE("where neither flags nor links are to be had, a rename may be refused instead of looking first") {
  run_with_refused(lacks.back(), [] {
    const temp_dir dir;
    write_file(dir / "a", "a");
    const unique_fd at{::open(dir.path().c_str(), O_PATH | O_DIRECTORY)};
    CHECK(rename_no_replace(at.get(), "a", at.get(), "b", no_links::fail) == ENOSYS);
    CHECK(read_file(dir / "a") == "a");
  });
}

}  // namespace
}  // namespace ferryfs::test
