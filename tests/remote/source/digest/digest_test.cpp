// The digest of a file as its source has it: from the source's own sha256sum, or by reading it back.

#include <filesystem>
#include <future>

#include "remote/files/sha256.hpp"
#include "remote/source/digest/read_back.hpp"
#include "remote/source/digest/source_shell.hpp"
#include "remote/source/local/directory_archive.hpp"
#include "remote/source/server/sftp_archive.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/relay.hpp"
#include "tests/doubles/sshd.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using remote::cause;
using remote::failure;
using outcome = std::pair<std::optional<failure>, std::string>;

std::string digest_of(std::string_view bytes) {
  remote::sha256 hash;
  hash.add(std::as_bytes(std::span(bytes)));
  return hash.result();
}

std::future<outcome> ask(remote::archive& from, const std::string& path) {
  auto promise = std::make_shared<std::promise<outcome>>();
  from.digest(path, [promise](const auto& why, const std::string& d) { promise->set_value({why, d}); });
  return promise->get_future();
}

outcome digest(remote::archive& from, const std::string& path) {
  auto answer = ask(from, path);
  REQUIRE(answer.wait_for(20s) == std::future_status::ready);
  return answer.get();
}

// Names that a shell, or sha256sum's own output, could make something of.
const std::vector<std::string> odd_names{"plain.jpg",
                                         "with space.jpg",
                                         "it's.jpg",
                                         "new\nline.jpg",
                                         "back\\slash.jpg",
                                         "-n",
                                         "$(touch x)",
                                         "`id`",
                                         "\"quoted\".jpg",
                                         "star*?[a].jpg",
                                         "bad\xff\xfe",
                                         "\x01\x7f\r.jpg",
                                         "'; exit 1; '.jpg",
                                         "{a,b}",
                                         "~",
                                         "ends with '",
                                         "snow\xe2\x98\x83",
                                         " leading",
                                         "trailing\n",
                                         "a#b!c&d|e;f<g>h"};

struct sftp_source {
  temp_dir dir{"source"};
  sshd server;
  std::unique_ptr<remote::sftp::sftp_archive> archive;

  explicit sftp_source(sshd_options options = {}) : server(std::move(options)) {
    for (const auto& name : odd_names) write_file(dir / "it's here" / name, "content of " + name);
  }
  remote::archive& open(std::uint16_t port = 0, std::chrono::seconds timeout = 10s, std::size_t sessions = 2) {
    remote::ssh::settings s;
    s.identities = {server.identity()}, s.known_hosts = {server.known_hosts(port)}, s.io_timeout = timeout;
    const auto url = port == 0 ? server.url(dir.path()) : sshd::url(dir.path(), port);
    archive = std::make_unique<remote::sftp::sftp_archive>(remote::ssh::resolve(url, s), sessions);
    REQUIRE(archive->state().reachable);
    return *archive;
  }
  void check_all() {
    for (const auto& name : odd_names) {
      const auto [why, d] = digest(*archive, "it's here/" + name);
      INFO(name + ": " + (why ? why->text : ""));
      CHECK(d == digest_of("content of " + name));
    }
  }
};

// The archive's own two connections, the one for all digests, and that which made place for it, once more.
constexpr std::size_t one_shell = 4;

// Each command that the server is asked to run is in its log.
bool ran_a_shell(const sshd& server) { return server.log().find("Starting session: command") != std::string::npos; }

}  // namespace

TEST_CASE("digest: a path is one word of the shell, whatever its bytes", "[digest]") {
  CHECK(remote::shell_quoted("it's") == "'it'\\''s'");
  CHECK(remote::shell_question(7, "/a\nb") == "d 7 '/a\nb'\n");
}

TEST_CASE("digest: answers that are none are told apart", "[digest]") {
  const std::string hex(64, 'a');
  REQUIRE(remote::parse_shell_answer("3 " + hex + "  -"));
  CHECK(remote::parse_shell_answer("3 " + hex + "  -")->number == 3);
  CHECK(remote::parse_shell_answer("3 " + hex + "  -")->sha256 == std::string(32, '\xaa'));
  CHECK(remote::parse_shell_answer("3 none")->sha256.empty());
  for (const std::string& wrong : {"3 " + hex.substr(1), "3 " + hex + "a", "3 x" + hex.substr(1) + "  -", hex,
                                   std::string{"3"}, std::string{}, "3  " + hex, std::string{"-3 none"}})
    CHECK_FALSE(remote::parse_shell_answer(wrong));
}

TEST_CASE("digest: the source computes it, under any name", "[digest][sshd]") {
  sftp_source s;
  s.open();
  s.check_all();
  CHECK(ran_a_shell(s.server));
  CHECK_FALSE(std::filesystem::exists("x"));
  CHECK(s.server.logins() <= one_shell);
}

TEST_CASE("digest: many are asked for at a time", "[digest][sshd]") {
  sftp_source s;
  for (int i = 0; i < 700; ++i) write_file(s.dir / "many" / std::to_string(i), std::to_string(i));
  auto& from = s.open();
  std::vector<std::future<outcome>> answers;
  for (int i = 0; i < 700; ++i) answers.push_back(ask(from, "many/" + std::to_string(i)));
  for (int i = 0; i < 700; ++i) {
    REQUIRE(answers[static_cast<std::size_t>(i)].wait_for(60s) == std::future_status::ready);
    CHECK(answers[static_cast<std::size_t>(i)].get().second == digest_of(std::to_string(i)));
  }
  CHECK(s.server.logins() <= one_shell);
}

TEST_CASE("digest: where only SFTP is allowed, the file is read back", "[digest][sshd]") {
  sftp_source s{{.sftp_command = "internal-sftp", .key_type = "ed25519", .config = {"ForceCommand internal-sftp"}}};
  s.open();
  s.check_all();
  CHECK(s.server.logins() <= one_shell);  // that it is so was remembered
}

TEST_CASE("digest: where one connection is all there may be, the file is read over that", "[digest][sshd]") {
  sftp_source s;
  s.open(0, 10s, 1);
  s.check_all();
  CHECK_FALSE(ran_a_shell(s.server));
}

TEST_CASE("digest: where there is no sha256sum, the file is read back", "[digest][sshd]") {
  sftp_source s{{.sftp_command = "", .key_type = "ed25519", .config = {"SetEnv PATH=/nowhere"}}};
  s.open();
  s.check_all();
  CHECK(s.server.logins() <= one_shell);
}

TEST_CASE("digest: what a login script prints does not count as an answer", "[digest][sshd]") {
  sftp_source s{{.sftp_command = "internal-sftp",
                 .key_type = "ed25519",
                 .config = {"ForceCommand if [ \"$SSH_ORIGINAL_COMMAND\" = internal-sftp ]; then exec "
                            "/usr/lib/openssh/sftp-server; else echo welcome; eval \"$SSH_ORIGINAL_COMMAND\"; fi"}}};
  if (!std::filesystem::exists("/usr/lib/openssh/sftp-server")) skip("sftp-server is elsewhere");
  s.open();
  s.check_all();
  CHECK(s.server.logins() <= one_shell);
}

TEST_CASE("digest: links and what is not there have none", "[digest][sshd]") {
  sftp_source s;
  std::filesystem::create_symlink("plain.jpg", s.dir / "it's here/link");
  remote::directory_archive here{s.dir.path().string()};
  for (remote::archive* from : {&s.open(), static_cast<remote::archive*>(&here)}) {
    CHECK(digest(*from, "it's here/plain.jpg").second == digest_of("content of plain.jpg"));
    CHECK(digest(*from, "it's here/link").first);
    CHECK(digest(*from, "it's here").first);
    const auto [why, d] = digest(*from, "gone.jpg");
    REQUIRE(why);
    CHECK(why->why == cause::not_found);
    CHECK(d.empty());
  }
}

TEST_CASE("digest: a shell that is cut off is not the end of it", "[digest][sshd][relay]") {
  sftp_source s;
  relay line{{.listen = 0, .port = s.server.port(), .delay = 1ms}};
  auto& from = s.open(line.port());
  CHECK(digest(from, "it's here/plain.jpg").second == digest_of("content of plain.jpg"));
  line.cut();
  REQUIRE(wait_until([&] { return !digest(from, "it's here/it's.jpg").first; }));
  CHECK(digest(from, "it's here/-n").second == digest_of("content of -n"));
}

TEST_CASE("digest: a source that falls silent ends it within the deadline", "[digest][sshd][relay]") {
  sftp_source s;
  relay line{{.listen = 0, .port = s.server.port(), .delay = 1ms}};
  auto& from = s.open(line.port(), 1s);
  CHECK_FALSE(digest(from, "it's here/plain.jpg").first);
  line.stall();
  const auto [why, d] = digest(from, "it's here/plain.jpg");
  REQUIRE(why);
  CHECK(why->of_connection());
}

TEST_CASE("digest: stopping ends what is asked for", "[digest][sshd][relay]") {
  sftp_source s;
  relay line{{.listen = 0, .port = s.server.port(), .delay = 1ms}};
  auto& from = s.open(line.port(), 60s);
  line.stall();
  auto first = ask(from, "it's here/plain.jpg"), second = ask(from, "it's here/-n");
  from.stop();
  CHECK(first.get().first);
  CHECK(second.get().first);
  CHECK(digest(from, "it's here/-n").first->why == cause::cancelled);
}

TEST_CASE("digest: a file that changes while it is read back has none", "[digest]") {
  fake_archive source;
  source.put_file("a.jpg", "0123456789");
  source.hold_reads();
  auto promise = std::make_shared<std::promise<outcome>>();
  remote::digest_by_reading(source, "a.jpg", [promise](const auto& why, const auto& d) {
    promise->set_value({why, d});
  });
  // In another order than was asked for.
  const auto answer = [&] {
    REQUIRE(source.awaits("a.jpg"));
    while (source.ask("a.jpg", 4).what == remote::next_step::more) continue;
    source.answer("a.jpg", 8, 2), source.answer("a.jpg", 4, 4), source.answer("a.jpg", 0, 4);
    source.answer("a.jpg", 10, 1);  // its end
  };
  answer();
  SECTION("unchanged") {
    source.finish("a.jpg");
    CHECK(promise->get_future().get().second == digest_of("0123456789"));
  }
  SECTION("changed") {
    source.put_file("a.jpg", "0123");
    source.finish("a.jpg");
    CHECK(promise->get_future().get().first->why == cause::changed);
  }
  SECTION("its time alone is another: it is read once more") {
    source.set_mtime("a.jpg", long_ago + 1);
    source.finish("a.jpg");
    SECTION("and has the same bytes, whatever its time does") {
      answer();
      source.set_mtime("a.jpg", long_ago + 2);
      source.finish("a.jpg");
      CHECK(promise->get_future().get().second == digest_of("0123456789"));
    }
    SECTION("and goes on changing") {
      source.put_file("a.jpg", "9876543210", long_ago + 1);
      answer();
      source.set_mtime("a.jpg", long_ago + 2);
      source.finish("a.jpg");
      CHECK(promise->get_future().get().first->why == cause::changed);
    }
  }
}

}  // namespace ferryfs::test
