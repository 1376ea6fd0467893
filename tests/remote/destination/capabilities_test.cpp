// Capabilities that are found out of a file system.
#include "remote/destination/capabilities.hpp"

#include <sys/syscall.h>

#include "tests/doubles/refused_syscalls.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {
namespace {

remote::capabilities probe(const temp_dir& dir) {
  const unique_fd at{::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY)};
  const auto found = remote::probe(at.get());
  CHECK(std::filesystem::is_empty(dir.path()));
  return found;
}

TEST_CASE("an ordinary file system lacks nothing") {
  const temp_dir dir;
  const auto c = probe(dir);
  CHECK(remote::lacks(c).empty());
  CHECK_FALSE(c.folds_names());
  CHECK(c.earliest < 0);
  CHECK(c.latest > 2'147'483'647);
  CHECK(c.time_step <= 1'000'000);
}

TEST_CASE("what a file system refuses is found, and said in words") {
  using remote::capabilities;
  struct one {
    refused_syscall call;
    bool capabilities::*what;
    const char* words;
  };
  const std::vector<one> all{
      {{SYS_renameat2, EINVAL, 4, 1}, &capabilities::rename_no_replace, "renames without replacing"},
      {{SYS_renameat2, EINVAL, 4, 2}, &capabilities::rename_exchange, "exchange"},
      {{SYS_linkat, EPERM}, &capabilities::hard_links, ""},
      {{SYS_symlinkat, EOPNOTSUPP}, &capabilities::symbolic_links, "symbolic links"},
      {{SYS_fsetxattr, EOPNOTSUPP}, &capabilities::user_attributes, "extended attributes"},
      {{SYS_fchmod, EPERM}, &capabilities::modes, "permissions"},
      {{SYS_mmap, ENODEV, 3, 1}, &capabilities::shared_memory, "shared memory"},
  };
  for (const auto& [call, what, words] : all) {
    INFO(words);
    run_with_refused({call}, [&, what = what, words = std::string(words)] {
      const temp_dir dir;
      const auto c = probe(dir);
      CHECK_FALSE(c.*what);
      capabilities rest = c;
      rest.*what = true;
      CHECK(remote::lacks(rest).empty());
      CHECK(remote::lacks(c).size() == (words.empty() ? 0 : 1));
      for (const auto& said : remote::lacks(c)) CHECK_THAT(said, contains_text(words));
    });
  }
}

TEST_CASE("a destination that can't give away its files says which owner they get") {
  if (::geteuid() != 0) skip("only root gives a directory away");
  run_with_refused({{SYS_fchown, EPERM}, {SYS_fchownat, EPERM}}, [] {
    const temp_dir dir;
    REQUIRE(::lchown(dir.path().c_str(), 0, 0) == 0);
    const taken_destination ours{dir.path()};
    CHECK(ours.lacking().empty());
  });
  const temp_dir dir;
  REQUIRE(::lchown(dir.path().c_str(), 1234, 1234) == 0);
  run_with_refused({{SYS_fchown, EPERM}, {SYS_fchownat, EPERM}}, [&] {
    const taken_destination there{dir.path()};
    CHECK_FALSE(there.can().owners);
    CHECK_THAT(there.lacking(), contains_text("0:0"));
    CHECK_THAT(there.lacking(), contains_text("1234:1234"));
    CHECK(there.uid() == 0);
    CHECK(there.gid() == 0);
  });
}

}  // namespace
}  // namespace ferryfs::test
