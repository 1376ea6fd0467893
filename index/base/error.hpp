// The error that ends a command: one line for the user and the exit code that goes with it.
#pragma once

#include <stdexcept>
#include <string>

namespace ferryfs {

enum class exit_code {
  complete = 0,    // done, and nothing is missing
  incomplete = 1,  // ended, but gaps, conflicts or failures remain
  usage = 2,       // wrong usage or configuration
  source = 3,      // the source is unreachable or refused
  local = 4,       // disk full, index damaged, archive locked
};

// Message form: "what or where: cause; remedy", without a trailing full stop or newline.
class error : public std::runtime_error {
 public:
  error(exit_code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  exit_code code() const noexcept { return code_; }

 private:
  exit_code code_;
};

}  // namespace ferryfs
