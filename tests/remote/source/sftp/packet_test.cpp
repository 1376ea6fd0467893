#include "remote/source/sftp/packet.hpp"

#include <random>

#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {
namespace {

using remote::sftp::builder;
using remote::sftp::parser;
using remote::sftp::protocol_error;
using remote::sftp::type;
using bytes = std::vector<std::byte>;

bytes from(std::initializer_list<int> values) {
  bytes b;
  for (const int v : values) b.push_back(static_cast<std::byte>(v));
  return b;
}

TEST_CASE("a request stands on the wire as the protocol wants it") {
  bytes out;
  builder{out, type::read, 0x01020304}.string("h\xff").u64(0x1122334455667788).u32(0x8000).end();
  CHECK(out == from({0,    0,    0,    23,   5,    1,    2,    3,    4,    0, 0, 0,    2, 'h',
                     0xff, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0, 0x80, 0}));
}

TEST_CASE("several requests follow each other in one buffer") {
  bytes out;
  builder{out, type::close, 1}.string("a").end();
  builder{out, type::close, 2}.string("bc").end();
  parser p{out};
  CHECK(p.u32() == 10);
  CHECK(p.u8() == 4);
  CHECK(p.u32() == 1);
  CHECK(p.string() == "a");
  CHECK(p.u32() == 11);
  CHECK(p.u8() == 4);
  CHECK(p.u32() == 2);
  CHECK(p.string() == "bc");
  CHECK(p.empty());
}

TEST_CASE("what was built is read again, whatever bytes it holds") {
  using namespace std::string_literals;
  for (const auto& text : {""s, "a"s, "\0\0"s, "\xff\xfe/\n"s, std::string(200'000, 'x')})
    for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1} << 32, UINT64_MAX}) {
      bytes out;
      builder{out, type::open, 0xffffffff}.string(text).u64(number).u32(0xfffffffe).end();
      parser p{out};
      CHECK(p.u32() == out.size() - 4);
      CHECK(p.u8() == 3);
      CHECK(p.u32() == 0xffffffff);
      CHECK(p.string() == text);
      CHECK(p.u64() == number);
      CHECK(p.u32() == 0xfffffffe);
      CHECK(p.empty());
    }
}

TEST_CASE("attributes are read with any of their parts absent") {
  const auto read = [](const reply& r) { return parser{r.body()}.attrs(); };
  CHECK(read(reply{type::attrs}.u32(0)) == remote::attributes{});
  CHECK(read(reply{type::attrs}.u32(1).u64(5'000'000'000)) == remote::attributes{0, 5'000'000'000, {}});
  CHECK(read(reply{type::attrs}.u32(2 | 4).u32(1).u32(2).u32(0100644)) == remote::attributes{0100644, {}, {}});
  CHECK(read(reply{type::attrs}.u32(8).u32(1).u32(0xffffffff)) == remote::attributes{0, {}, -1});
  CHECK(read(reply{type::attrs}.u32(8).u32(1).u32(0x7fffffff)) == remote::attributes{0, {}, 0x7fffffff});
  CHECK(read(reply{type::attrs}.attrs(0100600, 7, 9)) == remote::attributes{0100600, 7, 9});
}

TEST_CASE("words of later versions are stepped over where their length is known, and else their bit is named") {
  const auto v3 = [](std::uint32_t more) {
    return reply{type::attrs}.u32(1 | 4 | 8 | more).u64(7).u32(0100600).u32(8).u32(9);
  };
  const remote::attributes plain{0100600, 7, 9};
  SECTION("CREATETIME, which some servers add to version 3") {
    const reply r = v3(0x10).u64(1);
    parser p{r.body()};
    CHECK(p.attrs() == plain);
    CHECK(p.empty());
  }
  SECTION("several, and what follows is found") {
    const reply r =
        v3(0x10 | 0x40 | 0x2000 | 0x80000000).u64(1).string("acl").u32(2).u32(1).string("a").string("b").u32(77);
    parser p{r.body()};
    CHECK(p.attrs() == plain);
    CHECK(p.u32() == 77);
  }
  SECTION("MODIFYTIME is the time") {
    const reply r = reply{type::attrs}.u32(1 | 0x20).u64(7).u64(1'704'110'400);
    CHECK(parser{r.body()}.attrs() == remote::attributes{0, 7, 1'704'110'400});
  }
  SECTION("BITS, of one length in version 5 and of another in 6") {
    const reply r = v3(0x200).u32(0).u32(0);
    CHECK_THROWS_WITH(parser{r.body()}.attrs(), contains_text("0x200"));
  }
  SECTION("what is left over was something else") {
    const reply r = v3(0x10).u64(1).u32(5);
    parser p{r.body()};
    p.attrs();
    CHECK_THROWS_AS(p.end(), protocol_error);
  }
}

TEST_CASE("times that 32 bits do not hold are sent as the nearest that every server understands") {
  for (const auto& [mtime, sent] : {std::pair{std::int64_t{-5}, 0U}, {std::int64_t{1} << 40, 0x7fffffffU}, {9, 9U}}) {
    bytes out;
    builder{out, type::setstat, 1}.mode_and_time(0644, mtime).end();
    parser p{std::span(out).subspan(9)};
    CHECK(p.u32() == 12);
    CHECK(p.u32() == 0644);
    CHECK(p.u32() == sent);
    CHECK(p.u32() == sent);
  }
}

TEST_CASE("what a server adds to attributes is passed over") {
  const auto body = reply{type::attrs}
                        .u32(1U | 0x80000000)
                        .u64(7)
                        .u32(2)
                        .string("a")
                        .string("b")
                        .string("c")
                        .string("d")
                        .u32(99)
                        .body();
  parser p{body};
  CHECK(p.attrs().size == 7);
  CHECK(p.u32() == 99);
  CHECK(p.empty());
}

TEST_CASE("a packet that is shorter than what it announces is broken") {
  const auto breaks = [](const bytes& b, auto&& read) {
    parser p{b};
    CHECK_THROWS_AS(read(p), protocol_error);
  };
  breaks({}, [](parser& p) { p.u8(); });
  breaks(from({0, 0, 0}), [](parser& p) { p.u32(); });
  breaks(from({0, 0, 0, 0, 0, 0, 0}), [](parser& p) { p.u64(); });
  breaks(from({0, 0, 0, 2, 'a'}), [](parser& p) { p.string(); });
  breaks(from({0xff, 0xff, 0xff, 0xff, 'a'}), [](parser& p) { p.string(); });
  breaks(from({0x7f, 0xff, 0xff, 0xff}), [](parser& p) { p.bytes(); });
  breaks(reply{type::attrs}.u32(1).u32(0).body(), [](parser& p) { p.attrs(); });
  breaks(reply{type::attrs}.u32(0x80000000).u32(0xffffffff).string("a").body(), [](parser& p) { p.attrs(); });
}

TEST_CASE("a file of more bytes than a disk can hold is broken") {
  const auto with_size = [](std::uint64_t n) { return parser{reply{type::attrs}.u32(1).u64(n).body()}.attrs().size; };
  CHECK(with_size(remote::largest_size - 1) == remote::largest_size - 1);
  for (const std::uint64_t vast : {std::uint64_t{1} << 62, std::uint64_t{INT64_MAX}})
    CHECK(with_size(vast) == remote::largest_size);
  CHECK_THROWS_AS(with_size(std::uint64_t{1} << 63), protocol_error);
  CHECK_THROWS_AS(with_size(UINT64_MAX), protocol_error);
}

// Reads a packet in a random order of fields, to its end or to where it breaks.
void read_at_random(parser p, std::mt19937& random) {
  for (int field = 0; field < 12 && !p.empty(); ++field) {
    switch (random() % 6) {
      case 0:
        p.u8();
        break;
      case 1:
        p.u32();
        break;
      case 2:
        p.u64();
        break;
      case 3:
        p.bytes();
        break;
      case 4:
        p.string();
        break;
      default:
        p.attrs();
        break;
    }
  }
}

bytes name_packet(std::mt19937& random) {
  reply r{type::name};
  const std::uint32_t count = random() % 4;
  r.u32(count);
  for (std::uint32_t i = 0; i < count; ++i)
    r.string(std::string(random() % 20, 'n'))
        .string("-rw-r--r--")
        .attrs(0100644, random(), static_cast<std::uint32_t>(random()));
  return r.body();
}

TEST_CASE("no packet does more harm than to be broken") {
  std::mt19937 random{1973};
  std::size_t whole = 0, broke = 0;
  for (int round = 0; round < 200'000; ++round) {
    bytes packet;
    if (round % 2 == 0) {
      packet.resize(random() % 64);
      for (auto& b : packet) b = static_cast<std::byte>(random() % 4 == 0 ? random() : random() % 3);
    } else {
      packet = name_packet(random);
      for (auto flips = random() % 4; flips > 0 && !packet.empty(); --flips)
        packet[random() % packet.size()] = static_cast<std::byte>(random());
      packet.resize(packet.size() - std::min<std::size_t>(packet.size(), random() % 8));
    }
    try {
      read_at_random(parser{packet}, random);
      ++whole;
    } catch (const protocol_error& b) {
      ++broke;
      if (b.text.empty()) FAIL("it does not say how");
    }
  }
  CHECK(whole > 1000);
  CHECK(broke > 1000);
}

}  // namespace
}  // namespace ferryfs::test
