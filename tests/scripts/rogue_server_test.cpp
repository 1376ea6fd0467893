// Servers that break the protocol, or lie: nothing wrong gets a final name, and nothing is written elsewhere.
#include <sys/resource.h>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/rogue.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/mount/mount_fixture.hpp"
#include "tests/mount/trees.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long most_kib = 1'500'000;
#else
constexpr long most_kib = 120'000;
#endif

long peak_of_children_kib() {
  rusage use{};
  ::getrusage(RUSAGE_CHILDREN, &use);
  return use.ru_maxrss;
}

// The files under final names are those that the server would have sent had it been honest, by their paths there.
void check_bytes(const fs::path& destination, const behaviour& how) {
  std::map<std::string, rogue::node> honest;
  for (const auto& node : rogue::tree(how)) honest.emplace(node.path(), node);
  for (const auto& [path, content] : contents_below(destination)) {
    const auto found = honest.find(std::string(rogue::root) + "/" + path);
    INFO(path);
    if (found == honest.end())
      FAIL_CHECK("nobody sent this name");
    else if (found->second.kind == rogue::kind::file)
      CHECK((content == rogue::content(found->first, 0, found->second.size)));
  }
}

struct outcome {
  process_result sync;
  tree copied;
};

outcome sync_with(const std::string& how, std::chrono::seconds within = 60s) {
  INFO("a server that is " << how);
  const temp_dir dir("rogue");
  sshd_options options;
  options.sftp_command = std::string(FERRYFS_ROGUE_SFTP) + " " + how;
  const sshd server(options);
  const auto to = dir / "between/destination";
  fs::create_directories(dir / "between");
  auto words = sync_command(server, rogue::root, to);
  words.back() = "2";  // --io-timeout
  const auto sync = run_ferryfs(words, within);
  INFO(sync.err << sync.out);
  CHECK_FALSE(sync.timed_out);
  CHECK(sync.code < 128);
  if (fs::exists(to)) check_bytes(to, behaviour_of(how));
  if (fs::exists(to / ".ferryfs/partial")) CHECK(fs::is_empty(to / ".ferryfs/partial"));
  for (const auto& entry : fs::directory_iterator(dir.path())) CHECK(entry.path() == dir / "between");
  for (const auto& entry : fs::directory_iterator(dir / "between")) CHECK(entry.path() == to);
  CHECK(peak_of_children_kib() < most_kib);
  return {sync, contents_below(to)};
}

}  // namespace

TEST_CASE("impossible names and broken packets end a sync as the source's fault") {
  const std::string how =
      GENERATE(as<std::string>(), "huge-packet", "short-packet", "huge-string", "wrong-id", "wrong-type", "garbage",
               "bad-packets", "too-many-names", "old-version", "huge-size", "tiny-limits");
  INFO(how);
  const auto result = sync_with(how);
  check_one_line(result.sync, source, "127.0.0.1");
  CHECK_FALSE(result.copied.contains("20240101/x"));
  CHECK_FALSE(result.copied.contains("x"));
}

TEST_CASE("an impossible name costs that name alone, is counted, and can be accepted") {
  const std::string how =
      GENERATE(as<std::string>(), "slash-name", "absolute-name", "dotdot-name", "nul-name", "empty-name", "long-name");
  INFO(how);
  const auto result = sync_with(how);
  check_one_line(result.sync, incomplete, "1 refused");
  CHECK(result.copied.contains("20240101/20240101120000.jpg"));
  CHECK_FALSE(result.copied.contains("20240101/x"));
  CHECK_FALSE(result.copied.contains("x"));
}

TEST_CASE("a name of which the server does not tell enough keeps its directory incomplete; all others come") {
  const auto result = sync_with("odd-no-readlink");
  check_one_line(result.sync, incomplete, "last.jpg");
  CHECK(result.copied.contains("20240102/20240102120000.jpg"));
  CHECK(result.copied.contains("live/last-capture.jpg"));
}

TEST_CASE("attributes that can't be stepped over are refused by their bit") {
  const auto result = sync_with("odd-unknown-words");
  check_one_line(result.sync, source, "0x200");
  CHECK(result.copied.empty());
}

TEST_CASE("text that a shell prints before the server speaks is called that, and shown") {
  sshd_options options;
  const auto [text, said] = GENERATE(
      table<std::string, std::string>({{"echo Welcome to this server", "'Welcome to this server'"},
                                       {"echo You are required to change your password", "password has expired"}}));
  const temp_dir dir("chatty");
  const temp_dir scripts("script");
  write_file(scripts / "chatty", "#!/bin/sh\n" + text + "\nexec " + FERRYFS_ROGUE_SFTP + " good\n");
  fs::permissions(scripts / "chatty", fs::perms::owner_all);
  options.sftp_command = (scripts / "chatty").string();
  const sshd server(options);
  auto words = sync_command(server, rogue::root, dir / "destination");
  const auto sync = run_ferryfs(words, 30s);
  CHECK(sync.code == source);
  CHECK_THAT(sync.err, contains_text(said));
}

TEST_CASE("a name that is sent twice ends in no wrong picture") {
  const auto result = sync_with("twice-name");
  CHECK((result.sync.code == complete || result.sync.code == source));
}

TEST_CASE("a directory without end is given up, in bounded memory", "[slow]") {
  check_one_line(sync_with("endless-dir", 240s).sync, source, "does not end");
}

TEST_CASE("pictures that the server does not send rightly are failures, and all others come") {
  const std::string how =
      GENERATE(as<std::string>(), "more-data", "no-data", "wrong-size", "vast-size", "grows", "vanished", "failure",
               "cut-listing", "denied", "garbage@read", "wrong-id@read", "huge-packet@open");
  INFO(how);
  const auto result = sync_with(how);
  const auto code = static_cast<exit_code>(result.sync.code);
  CHECK((code == incomplete || code == source));
  check_one_line(result.sync, code, "");
  CHECK(result.copied.contains("20240102/20240102120000.jpg"));
  CHECK(result.copied.contains("live/last-capture.jpg"));
}

TEST_CASE("packets that break in the middle of a picture leave no wrong one") {
  const std::string how = GENERATE(as<std::string>(), "garbage@read", "wrong-id@read", "huge-packet@open",
                                   "short-packet@read", "bad-packets@read");
  INFO(how);
  const auto result = sync_with(how);
  const auto code = static_cast<exit_code>(result.sync.code);
  CHECK((code == incomplete || code == source));
  check_one_line(result.sync, code, "");
}

TEST_CASE("a server that falls silent or dies is given up in time") {
  const std::string how = GENERATE(as<std::string>(), "hang", "no-status", "dies", "hang@read");
  INFO(how);
  const auto result = sync_with(how, 40s);
  const auto code = static_cast<exit_code>(result.sync.code);
  CHECK((code == incomplete || code == source));
  check_one_line(result.sync, code, "");
}

TEST_CASE("a picture over which the server falls silent fails by its name, and costs no other") {
  const auto result = sync_with("hang@read", 40s);
  check_one_line(result.sync, incomplete, "2 failed");
  for (const auto* path : {"20240102/20240102120000.jpg", "20240102/empty.jpg", "live/last-capture.jpg"})
    CHECK(result.copied.contains(path));
  CHECK_FALSE(result.copied.contains("20240101/20240101120000.jpg"));
}

TEST_CASE("what is odd but legal is copied whole") {
  for (const auto& how : behaviours()) {
    if (!how.legal) continue;
    INFO(how.name);
    const auto result = sync_with(std::string(how.name));
    // Links that go round in a loop lead nowhere, and are refused.
    const bool loops = how.name == "loop";
    CHECK(result.sync.code == (loops ? incomplete : complete));
    std::string lacking;
    for (const auto& node : rogue::tree(how)) {
      const std::string path = node.path().substr(std::min(node.path().size(), rogue::root.size() + 1));
      const bool expected = node.kind == rogue::kind::file || (node.kind == rogue::kind::link && !loops);
      if (expected && !result.copied.contains(path)) lacking += path + "\n";
    }
    CHECK(lacking == "");
  }
}
