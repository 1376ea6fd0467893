#include "tests/doubles/rogue.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace ferryfs::test {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view long_name =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

constexpr behaviour table[] = {
    {"good", fault::none, sftp::readdir, true},
    // Names
    {"slash-name", fault::extra_names, sftp::readdir, false, "a/b"},
    {"absolute-name", fault::extra_names, sftp::readdir, false, "/etc/passwd"},
    {"dotdot-name", fault::extra_names, sftp::readdir, false, "../x"},
    {"nul-name", fault::extra_names, sftp::readdir, false, "a\0b"sv},
    {"empty-name", fault::extra_names, sftp::readdir, false, ""},
    {"long-name", fault::extra_names, sftp::readdir, false, long_name},
    {"twice-name", fault::extra_names, sftp::readdir, false, "20240101120000.jpg"},
    {"newline-name", fault::extra_names, sftp::readdir, true, "a\nb.jpg"},
    {"bytes-name", fault::extra_names, sftp::readdir, true, "\xff\xfe\x80.jpg"},
    // Packets
    {"huge-packet", fault::huge_packet, sftp::readdir},
    {"short-packet", fault::short_packet, sftp::readdir},
    {"huge-string", fault::huge_string, sftp::readdir},
    {"wrong-id", fault::wrong_id, sftp::readdir},
    {"wrong-type", fault::wrong_type, sftp::readdir},
    {"garbage", fault::garbage, sftp::init},
    {"bad-packets", fault::bad_packets, sftp::readdir},
    {"old-version", fault::old_version, sftp::init},
    // Listings
    {"too-many-names", fault::too_many, sftp::readdir},
    {"endless-dir", fault::endless, sftp::readdir},
    {"cut-listing", fault::cut_listing, sftp::readdir},
    {"denied", fault::status, sftp::opendir, false, {}, sftp::permission_denied},
    {"loop", fault::symlink_loops, sftp::readdir, true},
    {"no-attributes", fault::no_attributes, sftp::readdir, true},
    // Files
    {"more-data", fault::more_data, sftp::read},
    {"no-data", fault::no_data, sftp::read},
    {"wrong-size", fault::early_end, sftp::read},
    {"grows", fault::grows, sftp::stat},
    {"huge-size", fault::huge_size, sftp::stat},
    {"vast-size", fault::vast_size, sftp::stat},
    {"tiny-limits", fault::tiny_limits, sftp::init},
    {"vanished", fault::status, sftp::open, false, {}, sftp::no_such_file},
    {"failure", fault::status, sftp::read, false, {}, sftp::failure},
    {"short-reads", fault::short_reads, sftp::read, true},
    // The server
    {"no-status", fault::hang, sftp::open},
    {"hang", fault::hang, sftp::readdir},
    {"dies", fault::die, sftp::read},
    {"old-server", fault::old_server, sftp::init, true},
    {"slow", fault::slow, sftp::read, true},
    // Ways of other servers. OpenSSH's client has not met them all.
    {"odd-zero-fstat", fault::zero_sizes, sftp::init, true, {}, {}, 1},
    {"odd-zero-sizes", fault::zero_sizes, sftp::init, true},
    {"odd-no-sizes", fault::no_sizes, sftp::init, true},
    {"odd-no-kinds", fault::no_kinds, sftp::init, true},
    {"odd-no-lstat", fault::no_lstat, sftp::init, true},
    {"odd-no-readlink", fault::no_readlink, sftp::init},
    {"odd-whole-targets", fault::whole_targets, sftp::init, true},
    {"odd-later-words", fault::later_words, sftp::init, true},
    {"odd-unknown-words", fault::unknown_words, sftp::init},
    {"odd-one-handle", fault::few_handles, sftp::init, true, {}, {}, 1},
    {"odd-few-handles", fault::few_handles, sftp::init, true, {}, {}, 3},
    {"odd-one-file", fault::few_files, sftp::init, true, {}, {}, 1},
    {"odd-any-order", fault::any_order, sftp::init, true},
    {"odd-opaque-root", fault::opaque_root, sftp::init, true},
    {"odd-one-packet", fault::one_packet, sftp::init, true},
};

sftp::type request_named(std::string_view name) {
  static const std::map<std::string_view, sftp::type> requests{
      {"init", sftp::init},   {"open", sftp::open},         {"close", sftp::close},       {"read", sftp::read},
      {"lstat", sftp::lstat}, {"fstat", sftp::fstat},       {"opendir", sftp::opendir},   {"readdir", sftp::readdir},
      {"stat", sftp::stat},   {"realpath", sftp::realpath}, {"readlink", sftp::readlink},
  };
  const auto found = requests.find(name);
  if (found == requests.end()) throw std::invalid_argument("no such request: " + std::string(name));
  return found->second;
}

}  // namespace

std::span<const behaviour> behaviours() { return table; }

behaviour behaviour_of(std::string_view argument) {
  const auto at = argument.find('@');
  const auto name = argument.substr(0, at);
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](const auto& row) { return row.name == name; });
  if (found == std::end(table)) throw std::invalid_argument("no such behaviour: " + std::string(name));
  behaviour how = *found;
  if (at != argument.npos) {
    how.on = request_named(argument.substr(at + 1));
    how.legal = false;
  }
  return how;
}

namespace rogue {

std::vector<node> tree(const behaviour& how) {
  const std::string top(root), first(victim), second = top + "/20240102", live = top + "/live";
  std::vector<node> nodes{
      {"", "archive", kind::directory},
      {top, "20240101", kind::directory},
      {first, "20240101120000.jpg", kind::file, 100'000},
      {first, "20240101120010.jpg", kind::file, 70'000},
      {top, "20240102", kind::directory},
      {second, "20240102120000.jpg", kind::file, 300'000},
      {second, "empty.jpg", kind::file, 0},
      {top, "live", kind::directory},
      {live, "last-capture.jpg", kind::file, 12'345},
  };
  if (how.what == fault::extra_names) nodes.push_back({first, std::string(how.more), kind::file, 5'000});
  if (how.name.starts_with("odd-")) nodes.push_back({second, "last.jpg", kind::link, 18, "20240102120000.jpg"});
  if (how.what == fault::few_handles || how.what == fault::any_order)
    for (int i = 0; i < 40; ++i)
      nodes.push_back({second, "2024010213" + std::to_string(1000 + i) + ".jpg", kind::file, 3'000});
  if (how.what == fault::few_files)
    for (int i = 0; i < 60; ++i) {
      const auto day = "day " + std::to_string(i);
      nodes.push_back({top, day, kind::directory});
      nodes.push_back({top + "/" + day, "a.jpg", kind::file, 3'000});
    }
  if (how.what == fault::one_packet)
    for (int i = 0; i < 3000; ++i)
      nodes.push_back(
          {live, "a name that is long enough for a packet of many, number " + std::to_string(i), kind::file, 1});
  if (how.what == fault::symlink_loops) {
    const auto loop = top + "/loop";
    nodes.push_back({top, "loop", kind::directory});
    nodes.push_back({loop, "a", kind::link, 1, "b"});
    nodes.push_back({loop, "b", kind::link, 1, "a"});
    nodes.push_back({loop, "up", kind::link, 2, ".."});
    nodes.push_back({loop, "self", kind::link, 1, "."});
  }
  return nodes;
}

std::string content(std::string_view path, std::uint64_t offset, std::size_t count) {
  std::uint32_t seed = 2166136261;
  for (const char byte : path) seed = (seed ^ static_cast<std::uint8_t>(byte)) * 16777619;
  std::string bytes(count, '\0');
  // Each byte depends on all of its offset, so that no block looks like another.
  for (std::size_t at = 0; at < count; ++at) {
    const auto mixed = (offset + at + seed) * 0x9e3779b97f4a7c15;
    bytes[at] = static_cast<char>(mixed >> 56);
  }
  return bytes;
}

}  // namespace rogue
}  // namespace ferryfs::test
