// When both sides are scanned, and how: by requests, and by time. Pure; its owner's mutex guards it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "remote/engine/scan/source_scan.hpp"

namespace ferryfs::remote {

class scan_schedule {
 public:
  using callback = std::function<void(const source_scan::result&)>;
  enum class pass {
    changed,  // as the periodic one: directories whose time has changed
    full,     // every directory: also finds what was overwritten in place
  };

  // Scans again every `period`, and when the source comes back. Without this call: on request only.
  void set_period(std::chrono::seconds period);

  // A scan as soon as the running one ends; `call` gets the source's result.
  void request(callback call, pass how, bool believe);
  // Changes of the index were lost, which a scan of the destination finds again.
  void request_repair();
  // The source can be reached again.
  void set_source_back() { came_back_ = true; }
  // Whether to scan before the pause has passed.
  bool is_due() const { return requested_ || (came_back_ && follows_source_); }

  struct order {
    bool full = false;       // every directory is listed
    bool requested = false;  // a caller asked for a full one
    bool believe = false;    // pictures that are gone from the source are meant to be
    bool repairs = false;
    std::vector<callback> callers;
  };
  // The scan that begins now.
  order begin();
  // That scan has ended; `saw_destination`: its scan of the destination came to an end. Returns how long to pause;
  // nothing: until a scan is due.
  std::optional<std::chrono::seconds> end(const order& o, bool saw_destination);

 private:
  std::optional<std::chrono::seconds> period_;
  bool follows_source_ = false;
  unsigned round_ = 0;
  std::chrono::seconds repair_pause_ = least_repair_pause;
  bool requested_ = false, full_requested_ = false, believe_ = false, came_back_ = false, to_repair_ = false;
  std::vector<callback> callers_;

  static constexpr std::chrono::seconds least_repair_pause{10};  // until a scan that is to repair the index is retried
  static constexpr std::chrono::seconds most_repair_pause{300};  // after many in vain
};

}  // namespace ferryfs::remote
