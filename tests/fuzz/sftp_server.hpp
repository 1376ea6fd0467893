// An SFTP server that answers as its script has it: in any order, honestly or not, a request or none at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "remote/source/sftp/packet.hpp"
#include "tests/fuzz/input.hpp"

namespace ferryfs::fuzz {

// The byte at that place of every file that it has.
inline std::byte content_at(std::uint64_t offset) { return static_cast<std::byte>(offset * 7 + 3); }

class sftp_server {
 public:
  // `time_passes` is called where the script has the server be silent.
  sftp_server(input& script, std::function<void(std::chrono::seconds)> time_passes)
      : script_(script), time_passes_(std::move(time_passes)) {}

  void receive(std::span<const std::byte> bytes);
  // The bytes of one step of the script, which is not over.
  std::string step();

  // Something was sent that no server sends: what came of it says nothing.
  bool has_lied() const noexcept { return lied_; }
  bool owes_nothing() const noexcept { return owed_.empty(); }
  // Handles that were given, and of which no CLOSE has come.
  std::size_t open_handles() const noexcept { return handles_.size(); }

 private:
  struct request {
    remote::sftp::type type;
    std::uint32_t id;
    std::uint64_t offset = 0;  // of a READ
    std::uint32_t length = 0;
    std::string handle;
  };
  void accept(std::span<const std::byte> packet);
  std::string reply();
  std::string honest_reply(const request& r);
  void put_attributes(std::string& to);
  std::string names();
  std::string data(const request& r);

  input& script_;
  const std::function<void(std::chrono::seconds)> time_passes_;
  std::vector<std::byte> inbox_;
  std::vector<request> owed_;
  std::multiset<std::string> handles_;
  bool lied_ = false;
};

}  // namespace ferryfs::fuzz
