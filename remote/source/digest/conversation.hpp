// One connection with a shell behind it, over which source_digests asks for one digest after the other.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <string>
#include <string_view>

#include "remote/source/digest/source_digests.hpp"

namespace ferryfs::remote {

// The server does not do what is asked, and will not later.
struct inability : std::exception {
  explicit inability(std::string says) : why(std::move(says)) {}
  const char* what() const noexcept override { return why.c_str(); }

  std::string why;
};

// For the thread of the digests, which opens it and lets it serve.
class source_digests::conversation {
 public:
  // Opens the connection. Throws failure.
  explicit conversation(source_digests& owner);

  // Returns when there was no request for a while or it is to stop. Throws failure or inability.
  void serve();

  std::deque<question> take_outstanding() { return std::move(outstanding_); }

 private:
  void converse();
  bool is_owed() const { return !ready_ || !outstanding_.empty(); }
  bool send_questions();
  bool flush();
  bool receive();
  void accept_line(std::string_view line);

  source_digests& owner_;
  ssh::channel stream_;
  std::string outbox_, line_;
  bool ready_ = false;
  std::size_t noise_ = 0;
  std::uint64_t next_ = 0;  // number of the oldest question without an answer
  std::deque<question> outstanding_;
  clock::time_point last_activity_;
};

}  // namespace ferryfs::remote
