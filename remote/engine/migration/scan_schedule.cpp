#include "remote/engine/migration/scan_schedule.hpp"

#include <algorithm>
#include <utility>

namespace ferryfs::remote {
namespace {

constexpr unsigned full_every = 12;  // scans: finds pictures that were overwritten in place

}  // namespace

void scan_schedule::set_period(std::chrono::seconds period) {
  follows_source_ = true;
  if (period.count() > 0) period_ = period;
}

void scan_schedule::request(callback call, pass how, bool believe) {
  requested_ = true;
  believe_ |= believe;
  full_requested_ |= how == pass::full;
  callers_.push_back(std::move(call));
}

void scan_schedule::request_repair() { requested_ = full_requested_ = to_repair_ = true; }

scan_schedule::order scan_schedule::begin() {
  order o;
  requested_ = came_back_ = false;
  o.requested = std::exchange(full_requested_, false);
  o.full = o.requested || round_ % full_every == 0;
  o.believe = std::exchange(believe_, false);
  o.repairs = std::exchange(to_repair_, false);
  o.callers = std::exchange(callers_, {});
  return o;
}

std::optional<std::chrono::seconds> scan_schedule::end(const order& o, bool saw_destination) {
  ++round_;
  to_repair_ = to_repair_ || (o.repairs && !saw_destination);
  if (!to_repair_) {
    repair_pause_ = least_repair_pause;
    return period_;
  }
  full_requested_ = true;
  return std::exchange(repair_pause_, std::min(2 * repair_pause_, most_repair_pause));
}

}  // namespace ferryfs::remote
