// The fixture itself, with scripts in ferryfs's place.
#include "tests/mount/mount_fixture.hpp"

#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/mounts.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;

namespace {

// `ferryfs mount SOURCE DESTINATION -f` as a shell script that mounts a tmpfs, serves, and takes it off on SIGTERM.
struct impostor {
  temp_dir dir{"impostor"};
  mount_options options;

  explicit impostor(const std::string& before, const std::string& after = "umount \"$3\"; exit 0") {
    if (::geteuid() != 0) skip("only root mounts a tmpfs");
    write_file(dir / "ferryfs", "#!/bin/sh\ntrap '" + after + "' TERM\n" + before + "\nwhile :; do sleep 0.01; done\n");
    std::filesystem::permissions(dir / "ferryfs", std::filesystem::perms::owner_all);
    options.source = "/nowhere";
    options.destination = dir / "destination";
    options.binary = dir / "ferryfs";
    options.mounted_within = 5s;
  }
};

const std::string mounts = "mount -t tmpfs none \"$3\"";

// The outcome of a whole test case with this impostor, in a process of its own: its failures are not ours.
process_result outcome(const std::string& name) { return run({"/proc/self/exe", name}); }

}  // namespace

TEST_CASE("a mount that behaves is nothing to complain of") {
  impostor fake(mounts);
  mount_fixture mount(fake.options);
  CHECK(mount.mounted());
  CHECK(mount.runs());
  CHECK(mount.mountpoint() == fake.dir / "destination");
  CHECK(mount.stop() == 0);
  CHECK_FALSE(mount.mounted());
  mount.start();
  CHECK(mount.mounted());
}

TEST_CASE("a killed mount stays for the next start, and goes in the end") {
  impostor fake("umount \"$3\" 2>/dev/null; " + mounts);
  std::filesystem::path point;
  {
    mount_fixture mount(fake.options);
    point = mount.mountpoint();
    mount.kill9();
    CHECK_FALSE(mount.runs());
    CHECK(mount.mounted());
    mount.start();
    CHECK(wait_until([&] { return mount.mounted(); }));  // the impostor takes the dead mount off first
    mount.kill9();
  }
  CHECK_FALSE(is_mounted(point));
}

TEST_CASE("an error that is expected is none") {
  impostor fake("echo 'error: the source is frozen' >&2; " + mounts);
  mount_fixture mount(fake.options);
  mount.expect_log("source is frozen");
  CHECK(wait_until([&] { return mount.log().find("frozen") != std::string::npos; }));
}

TEST_CASE("hidden: no mount", "[.impostor]") {
  impostor fake("echo 'cannot, for a reason' >&2; exit 4");
  const mount_fixture mount(fake.options);
}
TEST_CASE("hidden: error in the log", "[.impostor]") {
  impostor fake("echo '[error] something' >&2; " + mounts);
  const mount_fixture mount(fake.options);
}
TEST_CASE("hidden: sanitizer", "[.impostor]") {
  impostor fake("echo 'x.cpp:1:2: runtime error: shift' >&2; " + mounts);
  mount_fixture mount(fake.options);
  mount.expect_log("shift");
}
TEST_CASE("hidden: mount left behind", "[.impostor]") {
  impostor fake(mounts, "exit 0");
  const mount_fixture mount(fake.options);
}
TEST_CASE("hidden: process left behind", "[.impostor]") {
  impostor fake("setsid sleep 600 & " + mounts);
  mount_fixture mount(fake.options);
  CHECK(mount.stop(500ms) == 0);
}
TEST_CASE("hidden: deaf to SIGTERM", "[.impostor]") {
  impostor fake(mounts, ":");
  mount_fixture mount(fake.options);
  mount.stop(500ms);
}
TEST_CASE("hidden: dies", "[.impostor]") {
  impostor fake(mounts, "umount \"$3\"; kill -SEGV $$");
  const mount_fixture mount(fake.options);
}

TEST_CASE("the fixture fails a test whose ferryfs misbehaves") {
  const impostor needs_root(mounts);
  const auto [name, reason] = GENERATE(table<std::string, std::string>({
      {"no mount", "cannot, for a reason"},
      {"error in the log", "ferryfs said: [error] something"},
      {"sanitizer", "runtime error"},
      {"mount left behind", "left mounted"},
      {"process left behind", "does not end"},
      {"deaf to SIGTERM", "does not end"},
      {"dies", "ended by signal 11"},
  }));
  const auto result = outcome("hidden: " + name);
  INFO(name << '\n' << result.out);
  CHECK(result.code != 0);
  CHECK_THAT(result.out, contains_text(reason));
}
