// The files that the rogue SFTP server (ferryfs-rogue-sftp) serves, and how it misbehaves: shared by the executable and
// the tests.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/doubles/sftp_packet.hpp"

namespace ferryfs::test {

enum class fault {
  none,
  extra_names,    // the victim holds what nobody should
  symlink_loops,  // the tree has a directory of links that lead round
  huge_packet,    // the reply's length field is 0x7fffffff
  short_packet,   // the reply is cut in half, its length field says so
  huge_string,    // a string in the reply claims to be 4 GB long
  wrong_id,       // the reply answers a request that nobody made
  wrong_type,     // the reply is a VERSION packet
  too_many,       // the reply's count is larger than its entries
  more_data,      // 100 bytes more than asked
  no_data,        // DATA of no bytes, for ever
  early_end,      // end of file 1,000 bytes before the listed size
  grows,          // the size is larger each time it is told
  huge_size,      // the listed size is 2^63
  vast_size,      // the listed size is 2^62
  tiny_limits,    // one byte a READ, it says
  endless,        // five million entries
  cut_listing,    // a failure after the first entry
  status,         // a status instead of the reply
  hang,           // no reply from there on
  die,            // exits
  garbage,        // random bytes from there on
  bad_packets,    // random packets with good lengths and types, from there on
  short_reads,    // at most 1,000 bytes a READ
  old_server,     // no extensions, at most 32 KiB a READ
  old_version,    // speaks version 2
  no_attributes,  // READDIR names without attributes
  slow,           // 200 ms before each reply
  zero_sizes,     // a size of 0 wherever it is told; with `listed_right`, but in listings
  no_sizes,       // no size is told
  no_kinds,       // permissions without the bits of a kind
  whole_targets,  // READLINK answers with the whole path that a link leads to, as ProFTPD's
  no_lstat,       // the same of names without attributes, and no LSTAT
  no_readlink,    // no READLINK
  later_words,    // attributes with CREATETIME, of SFTP 4
  unknown_words,  // attributes with BITS, of two lengths in later versions
  few_handles,    // refuses to open more than `number`
  few_files,      // the same, and opens any number of directories
  any_order,      // answers what is asked together from the last to the first
  opaque_root,    // its root looks like no path of ours
  one_packet,     // a directory of thousands of names in one packet, larger than OpenSSH's
};

struct behaviour {
  std::string_view name;
  fault what;
  sftp::type on;               // the request that provokes it
  bool legal = false;          // a client must copy the whole tree nevertheless
  std::string_view more = {};  // extra_names: the name
  sftp::code code = {};        // status: which
  std::size_t number = 0;      // few_handles, few_files: how many; zero_sizes: 1 where listings are right
};

// The server is started as `ferryfs-rogue-sftp NAME[@REQUEST] [SEED]`; REQUEST, as in `hang@read`, takes the place of
// the behaviour's own. But for INIT, only requests about the victim and what lies in it are answered wrongly.
std::span<const behaviour> behaviours();
// Throws std::invalid_argument for a name that there isn't.
behaviour behaviour_of(std::string_view argument);

namespace rogue {

constexpr std::string_view root = "/archive";
constexpr std::string_view victim = "/archive/20240101";
constexpr std::uint32_t mtime = 1704110400;
constexpr std::string_view opaque_root = "C:/archive";

enum class kind { directory, file, link };

struct node {
  std::string parent;
  std::string name;
  rogue::kind kind;
  std::uint64_t size = 0;
  std::string target = {};  // of a link

  std::string path() const { return parent + '/' + name; }
};

// All nodes below "/", parents first.
std::vector<node> tree(const behaviour& how);
// The bytes that a file of the tree holds from `offset` on.
std::string content(std::string_view path, std::uint64_t offset, std::size_t count);

}  // namespace rogue
}  // namespace ferryfs::test
