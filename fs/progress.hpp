// Progress of long work: one line drawn over and over on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <string>

namespace ferryfs::fs {

class progress {
 public:
  progress();
  // Shows `line`; elsewhere than on a terminal only every ten seconds.
  void show(const std::string& line);
  // Ends the drawn line, so that what follows begins a new one.
  ~progress();

 private:
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace ferryfs::fs
