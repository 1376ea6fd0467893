#include "remote/source/ssh/target.hpp"

#include "index/base/error.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {
namespace {

using remote::ssh::is_remote;
using remote::ssh::resolve;
using strings = std::vector<std::string>;

// An ssh configuration of the test's own.
struct config_fixture {
  temp_dir dir{"ssh"};
  remote::ssh::settings given;

  explicit config_fixture(const std::string& text = "") {
    if (run({"ssh", "-V"}).code != 0) skip("there is no ssh to ask for its configuration");
    given.config = (dir / "config").string();
    write_file(given.config, text);
  }
  remote::ssh::target of(const std::string& source) const { return resolve(source, given); }
  std::string refusal(const std::string& source) const {
    try {
      of(source);
    } catch (const error& e) {
      CHECK(e.code() == exit_code::usage);
      return e.what();
    }
    throw std::logic_error(source + " was taken");
  }
};

TEST_CASE("a source with a host is remote, and one with a slash before the colon is a directory") {
  for (const auto* s : {"host:", "host:path", "user@host:path", "user@host:/path", "[::1]:path", "user@[fe80::1]:/p",
                        "sftp://host/path", "sftp://user@host:2222/path"})
    CHECK(is_remote(s));
  for (const auto* s : {"", "/dir", "dir", "./a:b", "/a:b", "a/b:c", "../host:x", ":path"}) CHECK_FALSE(is_remote(s));
}

TEST_CASE("a source in rsync's form names user, host and path") {
  const config_fixture f;
  const auto t = f.of("camera@old.example:archive/2013");
  CHECK(t.user == "camera");
  CHECK(t.host == "old.example");
  CHECK(t.port == 22);
  CHECK(t.path == "archive/2013");
  CHECK(t.where() == "camera@old.example:22");
  CHECK(f.of("old.example:/srv/a:b").path == "/srv/a:b");
  CHECK(f.of("old.example:").path == ".");
  CHECK(f.of("old.example:/srv/[2013]:x").path == "/srv/[2013]:x");
}

TEST_CASE("a source as a URL names a port as well") {
  const config_fixture f;
  const auto t = f.of("sftp://camera@old.example:2222/srv/archive");
  CHECK(t.user == "camera");
  CHECK(t.host == "old.example");
  CHECK(t.port == 2222);
  CHECK(t.path == "/srv/archive");
  CHECK(f.of("sftp://old.example/").path == "/");
}

TEST_CASE("an IPv6 address stands in brackets") {
  const config_fixture f;
  CHECK(f.of("camera@[2001:db8::1]:archive").host == "2001:db8::1");
  CHECK(f.of("[::1]:/srv/archive").path == "/srv/archive");
  const auto t = f.of("sftp://camera@[::1]:2222/srv");
  CHECK(t.host == "::1");
  CHECK(t.port == 2222);
}

TEST_CASE("a tilde is the login directory, where paths begin anyway") {
  const config_fixture f;
  CHECK(f.of("sftp://host/~/archive").path == "archive");
  CHECK(f.of("sftp://host/~").path == ".");
  CHECK(f.of("sftp://host/~/").path == ".");
  CHECK(f.of("host:~/archive").path == "archive");
  CHECK(f.of("host:~").path == ".");
  CHECK(f.of("host:~/").path == ".");
  CHECK(f.of("host:~//archive").path == "archive");
  CHECK(f.of("host:~camera/x").path == "~camera/x");
  CHECK(f.of("host:/srv/~/x").path == "/srv/~/x");
}

TEST_CASE("a source that is malformed is refused with what to write instead") {
  const config_fixture f;
  for (const auto* s : {"sftp://host", "sftp:///path", "sftp://user@/path", "sftp://[::1/path", "sftp://host:0/p",
                        "sftp://host:65536/p", "sftp://host:x/p", "sftp://host:22x/p", "sftp://host:-1/p", "@:x",
                        "sftp://[::1]2222/p"}) {
    CAPTURE(s);
    CHECK_THAT(f.refusal(s), contains_text("sftp://user@host:port/path"));
  }
  CHECK_THAT(f.refusal("sftp://\x1b[2J@/p"), contains_text("\\x1b"));
}

TEST_CASE("a password in a source is refused, and not repeated") {
  const config_fixture f;
  const auto text = f.refusal("sftp://camera:s3cret@old.example/archive");
  CHECK_THAT(text, contains_text("password"));
  CHECK_THAT(text, !contains_text("s3cret"));
}

TEST_CASE("a host that ssh would take for an option is refused") {
  const config_fixture f;
  const std::string trap = (f.dir / "trap").string();
  for (const std::string& s : strings{"-oProxyCommand=touch " + trap + ":path", "user@-F" + trap + ":path",
                                      "sftp://-D1/path", "sftp://user@-x:22/path"})
    f.refusal(s);
  CHECK_FALSE(std::filesystem::exists(trap));
}

TEST_CASE("what the source leaves open comes from the ssh configuration") {
  const config_fixture f{
      "Host old\n  HostName old.example\n  User camera\n  Port 2200\n  IdentityFile /keys/camera\n"
      "  UserKnownHostsFile /keys/known /keys/known2\n  GlobalKnownHostsFile /keys/global\n"};
  const auto t = f.of("old:archive");
  CHECK(t.where() == "camera@old.example:2200");
  CHECK(t.identities == strings{"/keys/camera"});
  CHECK(t.known_hosts == strings{"/keys/known", "/keys/known2", "/keys/global"});
}

TEST_CASE("what the source says goes before the ssh configuration, and options before both") {
  config_fixture f{
      "Host *\n  User camera\n  Port 2200\n  IdentityFile /keys/camera\n  UserKnownHostsFile /keys/known\n"};
  CHECK(f.of("sftp://me@old.example:22/archive").where() == "me@old.example:22");
  f.given.identities = {"/mine"}, f.given.known_hosts = {"/hosts"}, f.given.io_timeout = std::chrono::seconds(5);
  const auto t = f.of("old.example:archive");
  CHECK(t.identities == strings{"/mine"});
  CHECK(t.known_hosts == strings{"/hosts"});
  CHECK(t.io_timeout == std::chrono::seconds(5));
}

TEST_CASE("a configuration that wants a proxy is refused with the way around") {
  const config_fixture jump{"Host old\n  ProxyJump gate.example\n"}, command{"Host old\n  ProxyCommand nc %h %p\n"};
  CHECK_THAT(jump.refusal("old:archive"), contains_text("tunnel"));
  CHECK_THAT(command.refusal("old:archive"), contains_text("tunnel"));
  CHECK(jump.of("other:archive").host == "other");
}

TEST_CASE("an ssh configuration that cannot be read is a wrong configuration") {
  config_fixture f{"Nonsense here\n"};
  CHECK_THAT(f.refusal("old:archive"), contains_text("configuration"));
}

}  // namespace
}  // namespace ferryfs::test
