// One SFTP session of the rogue server: the requests, and the replies as an honest server would give them.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/doubles/rogue.hpp"
#include "tests/doubles/sftp_packet.hpp"

namespace ferryfs::test {

class rogue_session {
 public:
  rogue_session(const behaviour& how, std::uint32_t seed) : how_(how), random_(seed), nodes_(rogue::tree(how)) {}

  // Answers requests from stdin on stdout until stdin ends; returns the exit code.
  int run();

 private:
  struct open_handle {
    std::string path;
    std::uint64_t reported = 0;  // of a directory: entries listed so far
    bool directory = false;
  };

  std::string reply(sftp::type type, packet_reader& request);
  std::string version() const;
  std::string open(std::uint32_t id, sftp::type type, const std::string& path);
  std::string listed(std::uint32_t id, open_handle& directory);
  std::string endless(std::uint32_t id, open_handle& directory);
  std::string data(std::uint32_t id, const open_handle& file, std::uint64_t offset, std::uint64_t count);
  std::string limits(std::uint32_t id) const;
  std::string attributes(std::uint32_t id, const std::string& path, bool follow);

  void put_attributes(packet_writer& to, const rogue::node& node, bool listed = false);
  const rogue::node* find(const std::string& path, bool follow) const;
  std::uint64_t size_of(const rogue::node& node, bool telling);

  bool is_provoked(sftp::type type) const;
  bool answers_later(sftp::type type) const;
  void answer_backwards();
  bool has(fault what) const { return how_.what == what; }
  // Sends an honest reply as the fault bids; false where nothing follows it.
  bool misuse(std::string reply);
  std::string random_bytes(std::size_t count);

  behaviour how_;
  std::mt19937 random_;
  std::vector<rogue::node> nodes_;
  std::map<std::string, open_handle> handles_;
  std::uint32_t next_handle_ = 0;
  std::uint64_t growth_ = 0;
  std::vector<std::string> held_back_;  // answers
  std::string about_;                   // the path that the current request is about
};

}  // namespace ferryfs::test
