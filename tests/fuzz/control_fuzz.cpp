// What is written into .ferryfs/control: what one part of ferryfs writes the other one reads, whatever a path holds.
#include <array>

#include "fs/virtual/control_line.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace ferryfs;
using fuzz::demand;

struct form {
  const char *verb, *how;
  bool has_path;
};
constexpr std::array forms{form{"pause", "", false},
                           form{"resume", "", false},
                           form{"limit", "", true},
                           form{"rescan", "", false},
                           form{"rescan", "changed", false},
                           form{"rescan", "believe", false},
                           form{"progress", "push", false},
                           form{"progress", "verify", false},
                           form{"stop", "push", false},
                           form{"stop", "verify", false},
                           form{"fetch", "", true},
                           form{"skip", "", true},
                           form{"undelete", "", true},
                           form{"push", "", true},
                           form{"push", "--overwritten", true},
                           form{"resolve", "source", true},
                           form{"resolve", "destination", true},
                           form{"resolve", "both", true},
                           form{"verify", "here", true},
                           form{"verify", "source", true},
                           form{"ready", "", false},
                           form{"ready", "quick", false},
                           form{"ready", "json", false},
                           form{"ready", "quick json", false},
                           form{"report", "", false}};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const auto& f = forms.at(in.below(forms.size()));
  const std::string_view rest = in.rest();
  const fs::control_line line{f.verb, f.how, f.has_path ? std::string(rest) : ""};
  demand(fs::parse_control_line(fs::text_of(line) + '\n') == line, "a command is read as it is written");
  if (const auto any = fs::parse_control_line(rest)) {
    demand(fs::parse_control_line(fs::text_of(*any) + '\n') == any, "what was read is written so that it is read");
    demand(any->about.size() <= rest.size(), "nothing is added");
  }
  return 0;
}
