// Progress of long work. On a terminal a few lines are drawn over and over, and taken away at the end; elsewhere there
// is a plain line now and then.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "fs/report/status.hpp"

namespace ferryfs::fs {

using drawing = std::vector<std::string>;  // lines, without newlines

// A bar, totals, rate and time left, and what is in flight: always as many lines, so that nothing jumps.
drawing draw_status(const json& status, std::size_t columns);

class progress {
 public:
  progress();
  // Shows `line`; elsewhere than on a terminal only every ten seconds.
  void show(const std::string& line);
  // Shows a status: drawn on a terminal, as a `status_line` elsewhere.
  void show(const json& status);
  void show(drawing lines, const std::string& plain);
  ~progress();

 private:
  void draw(const drawing& lines);
  void print(const std::string& line);
  std::size_t columns() const;

  bool terminal_;
  std::size_t drawn_ = 0;  // lines that stand above the cursor
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace ferryfs::fs
