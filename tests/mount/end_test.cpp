// The end of a mount by a signal, while somebody goes on using it.
#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

// The kernel keeps a directory locked while it waits for the answer to a change in it, and waits for that lock before
// it forgets a name that it is told to forget.
TEST_CASE("a mount that is in use ends when it is told to, also while the kernel is told of many changes", "[slow]") {
  const temp_dir dir{"end"};
  const fs::path from = dir / "source";
  write_old(from / "d/a.jpg", "a");
  mount_options o;
  o.source = from.string(), o.destination = dir / "destination", o.mountpoint = dir / "mountpoint";
  o.arguments = still;
  o.arguments.insert(o.arguments.end(), {"--rescan", "1"});
  mount_fixture mount(o);
  for (const char* said : {still_says.c_str(), "in use", "scan"}) mount.expect_log(said);
  REQUIRE(wait_until([&] { return fs::exists(mount / "d/a.jpg"); }));
  // Names that come and go on the source, of which each scan tells the kernel.
  process changes(
      {"sh", "-c", "cd \"$1/d\" && while :; do seq 3000 | xargs touch; seq 3000 | xargs rm; done", "sh", from});
  process uploads(
      {"sh", "-c", "cd \"$1/d\" && while :; do : >own; rm -f own; done 2>/dev/null", "sh", mount.mountpoint()});
  REQUIRE(wait_until([&] { return fs::exists(mount / "d/1"); }, 20s));
  CHECK(mount.stop(30s) == 0);
  uploads.kill_group();
  changes.kill_group();
}
