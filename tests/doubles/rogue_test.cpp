#include "tests/doubles/rogue.hpp"

#include <set>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;

namespace {

// A client that believes nothing: it sees replies as they are.
class conversation {
 public:
  explicit conversation(const std::string& how) : server_({FERRYFS_ROGUE_SFTP, how}, piped()) {
    send(packet_writer(sftp::init).u32(3));
    const auto version = reply();
    REQUIRE(version.size() >= 5);
    CHECK(version[0] == sftp::version);
  }

  std::string ask(const packet_writer& request) {
    send(request);
    return reply();
  }
  void send(const packet_writer& request) {
    const auto size = static_cast<std::uint32_t>(request.bytes().size());
    server_.write(packet_writer(sftp::type{}).u32(size).bytes().substr(1) + request.bytes());
  }
  // The next packet as its length field has it; empty where it does not come.
  std::string reply() {
    if (!arrives(4)) return {};
    const auto length = packet_reader(out_.substr(taken_, 4)).u32();
    if (!arrives(4 + std::size_t{length})) return {};
    auto packet = out_.substr(taken_ + 4, length);
    taken_ += 4 + std::size_t{length};
    return packet;
  }
  std::string raw(std::size_t count) {
    REQUIRE(arrives(count));
    return out_.substr(taken_);
  }
  bool silent() { return !arrives(1, 200ms); }
  std::string handle(sftp::type open, const std::string& path) {
    packet_writer request(open, 1);
    request.text(path);
    if (open == sftp::open) request.u32(sftp::read_flag).u32(0);
    const auto answer = ask(request);
    packet_reader fields(answer);
    REQUIRE(fields.u8() == sftp::handle);
    fields.u32();
    return fields.text();
  }
  std::string readdir(const std::string& path) {
    return ask(packet_writer(sftp::readdir, 2).text(handle(sftp::opendir, path)));
  }
  std::string read(const std::string& path, std::uint64_t offset, std::uint32_t count) {
    return ask(packet_writer(sftp::read, 3).text(handle(sftp::open, path)).u64(offset).u32(count));
  }
  bool ended() { return server_.ended(5s); }
  int close() {
    server_.close_stdin();
    return server_.wait().code;
  }

 private:
  static process_options piped() {
    process_options options;
    options.pipe_stdin = true;
    return options;
  }
  bool arrives(std::size_t count, std::chrono::milliseconds within = 5s) {
    return wait_until(
        [&] {
          out_ = server_.out();
          return out_.size() - taken_ >= count;
        },
        within);
  }

  process server_;
  std::string out_;
  std::size_t taken_ = 0;
};

const std::string victim(rogue::victim);
const auto picture = victim + "/20240101120000.jpg";

std::vector<std::string> names(const std::string& reply) {
  packet_reader fields(reply);
  REQUIRE(fields.u8() == sftp::name);
  fields.u32();
  std::vector<std::string> found(fields.u32());
  for (auto& name : found) {
    name = fields.text();
    fields.text();
    const auto flags = fields.u32();
    if (flags != 0) fields.u64();
    for (int field = 0; flags == 0xf && field < 5; ++field) fields.u32();  // owner, group, mode and times
  }
  CHECK(fields.empty());
  return found;
}

std::uint64_t size_shown(conversation& with, sftp::type stat, const std::string& path) {
  const auto reply = with.ask(packet_writer(stat, 4).text(path));
  packet_reader fields(reply);
  REQUIRE(fields.u8() == sftp::attrs);
  fields.u32();
  CHECK(fields.u32() == 0xf);
  return fields.u64();
}

bool is_status(const std::string& reply, sftp::code code) {
  return reply.size() > 9 && reply[0] == sftp::status && packet_reader(reply.substr(5)).u32() == code;
}

}  // namespace

TEST_CASE("the legal behaviours give the whole tree to OpenSSH's sftp") {
  for (const auto& how : behaviours()) {
    // OpenSSH's client can't do these: links that lead round, a name with a newline, entries without attributes.
    if (!how.legal || how.what == fault::symlink_loops || how.what == fault::no_attributes ||
        how.name.starts_with("odd-"))
      continue;
    if (how.more.find('\n') != how.more.npos) continue;
    INFO(how.name);
    const temp_dir dir;
    write_file(dir / "batch", "get -r /archive " + dir.path().string() + '\n');
    const auto command = std::string(FERRYFS_ROGUE_SFTP) + ' ' + std::string(how.name);
    const auto result = run({"sftp", "-q", "-b", dir / "batch", "-D", command}, 60s);
    INFO(result.err);
    CHECK(result.code == 0);
    for (const auto& node : rogue::tree(how)) {
      if (node.kind != rogue::kind::file) continue;
      INFO(node.path());
      CHECK(read_file(dir.path().string() + node.path()) == rogue::content(node.path(), 0, node.size));
    }
  }
}

TEST_CASE("the rogue gives names as told") {
  for (const auto& how : behaviours()) {
    if (how.what != fault::extra_names) continue;
    INFO(how.name);
    conversation with{std::string(how.name)};
    const auto found = names(with.readdir(victim));
    CHECK(found.size() == 5);  // with . and ..
    CHECK(found.back() == how.more);
    CHECK(names(with.readdir("/archive")).size() == 5);
  }
  CHECK(behaviour_of("nul-name").more.size() == 3);
  CHECK(behaviour_of("long-name").more.size() == 300);
}

TEST_CASE("the rogue spoils packets as told") {
  const auto honest = conversation("good").readdir(victim);
  CHECK(names(honest).size() == 4);

  const auto huge = [] {
    conversation with("huge-packet");
    with.send(packet_writer(sftp::readdir, 2).text(with.handle(sftp::opendir, victim)));
    return with.raw(4);
  }();
  CHECK(packet_reader(huge).u32() == 0x7fffffff);

  CHECK(conversation("short-packet").readdir(victim) == honest.substr(0, honest.size() / 2));
  CHECK(packet_reader(conversation("huge-string").readdir(victim).substr(9)).u32() == 0xfffffff0);
  CHECK(packet_reader(conversation("wrong-id").readdir(victim).substr(1)).u32() == 100'002);
  CHECK(conversation("wrong-type").readdir(victim)[0] == sftp::version);
  CHECK(packet_reader(conversation("too-many-names").readdir(victim).substr(5)).u32() == 54);
  constexpr auto much = std::size_t{1} << 20;
  CHECK(conversation("garbage").raw(much) == conversation("garbage").raw(much));
  conversation bad("bad-packets");
  CHECK_FALSE(bad.readdir(victim).empty());
  CHECK_FALSE(bad.reply().empty());
}

TEST_CASE("the rogue spoils listings as told") {
  conversation cut("cut-listing");
  const auto handle = cut.handle(sftp::opendir, victim);
  CHECK(names(cut.ask(packet_writer(sftp::readdir, 2).text(handle))).size() == 3);
  CHECK(is_status(cut.ask(packet_writer(sftp::readdir, 3).text(handle)), sftp::failure));
  CHECK(is_status(conversation("denied").ask(packet_writer(sftp::opendir, 1).text(victim)), sftp::permission_denied));

  conversation endless("endless-dir");
  const auto many = endless.handle(sftp::opendir, victim);
  std::set<std::string> seen;
  for (std::uint32_t id = 0; id < 50; ++id) {
    endless.send(packet_writer(sftp::readdir, id).text(many));
    const auto listed = names(endless.reply());
    seen.insert(listed.begin(), listed.end());
  }
  CHECK(seen.size() == 4 + 49 * 100);
  CHECK(names(conversation("loop").readdir("/archive/loop")).size() == 6);
}

TEST_CASE("the rogue spoils files as told") {
  const auto bytes = [](const std::string& how, std::uint64_t offset, std::uint32_t count) {
    const auto reply = conversation(how).read(picture, offset, count);
    packet_reader fields(reply);
    REQUIRE(fields.u8() == sftp::data);
    fields.u32();
    return fields.text();
  };
  CHECK(bytes("good", 99'000, 5000) == rogue::content(picture, 99'000, 1000));
  CHECK(bytes("short-reads", 0, 5000).size() == 1000);
  CHECK(bytes("old-server", 0, 100'000).size() == 32'768);
  CHECK(bytes("more-data", 0, 5000).size() == 5100);
  CHECK(bytes("no-data", 0, 5000).empty());
  CHECK(is_status(conversation("wrong-size").read(picture, 99'000, 10), sftp::end_of_file));
  CHECK(is_status(conversation("failure").read(picture, 0, 10), sftp::failure));
  CHECK(is_status(conversation("vanished").ask(packet_writer(sftp::open, 1).text(picture).u32(1).u32(0)),
                  sftp::no_such_file));
  conversation growing("grows");
  CHECK(size_shown(growing, sftp::stat, picture) == 101'000);
  CHECK(size_shown(growing, sftp::lstat, picture) == 102'000);
  conversation huge("huge-size");
  CHECK(size_shown(huge, sftp::stat, picture) == std::uint64_t{1} << 63);
}

TEST_CASE("the rogue hangs, dies and ends with its client") {
  conversation hanging("no-status");
  hanging.send(packet_writer(sftp::open, 1).text(picture).u32(1).u32(0));
  CHECK(hanging.silent());
  CHECK(hanging.close() == 0);
  conversation elsewhere("hang@read");
  elsewhere.send(packet_writer(sftp::read, 3).text(elsewhere.handle(sftp::open, picture)).u64(0).u32(10));
  CHECK(elsewhere.silent());
  conversation dying("dies");
  dying.send(packet_writer(sftp::read, 3).text(dying.handle(sftp::open, picture)).u64(0).u32(10));
  CHECK(dying.ended());
  CHECK(dying.silent());
  CHECK(conversation("good").close() == 0);
  CHECK(run({FERRYFS_ROGUE_SFTP, "no-such-thing"}).code == 2);
}
