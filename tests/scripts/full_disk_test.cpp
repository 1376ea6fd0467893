// A destination that is too small.
#include <sys/mount.h>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct small {
  ferry f;

  small() {
    if (::geteuid() != 0) skip("only root mounts a tmpfs");
    fs::create_directories(f.to);
    REQUIRE(::mount("none", f.to.c_str(), "tmpfs", 0, "size=8m") == 0);
    for (int i = 0; i < 40; ++i)
      write_old(f.from / "20240110" / (std::to_string(i) + ".jpg"), noise(400'000, static_cast<unsigned>(i)));
  }
  process_result sync(const std::string& min_free) const {
    return run_ferryfs(sync_command(f.server, f.from, f.to, {"--min-free", min_free}));
  }
};

}  // namespace

TEST_CASE("a full disk ends a sync as a local error, and leaves no wrong picture") {
  const small it;
  check_one_line(it.sync("0"), local, "pace");
  const auto here = contents_below(it.f.to);
  CHECK(difference(contents_below(it.f.from), here, false) == "");
  CHECK(here.size() > 5);
  REQUIRE(::mount("none", it.f.to.c_str(), nullptr, MS_REMOUNT, "size=64m") == 0);
  CHECK(it.sync("0").code == complete);
  CHECK(difference(contents_below(it.f.from), contents_below(it.f.to)) == "");
}

TEST_CASE("replication leaves free what is to stay free") {
  const small it;
  check_one_line(it.sync("3M"), local, "--min-free");
  CHECK(difference(contents_below(it.f.from), contents_below(it.f.to), false) == "");
  CHECK(fs::space(it.f.to).available > 2'000'000);
}
