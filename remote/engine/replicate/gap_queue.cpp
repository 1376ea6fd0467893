#include "remote/engine/replicate/gap_queue.hpp"

#include "index/base/clock.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote {
namespace {

constexpr int refill = 512;  // gaps a query

}  // namespace

std::vector<entry> gap_queue::next() {
  std::vector<entry> gaps;
  const auto reader = readers_.borrow();
  reader->gaps(day_, ino_, refill, [&](entry&& e) { gaps.push_back(std::move(e)); });
  if (gaps.empty()) reader->failures(wall_seconds(), refill, [&](entry&& e) { gaps.push_back(std::move(e)); });
  return gaps;
}

bool gap_queue::pass(const entry& gap) {
  if (gap.state != state::missing) return false;
  day_ = gap.day, ino_ = gap.ino;
  return true;
}

std::string gap_queue::path_of(const entry& gap) {
  const auto reader = readers_.borrow();
  if (gap.origin) return reader->source_path(gap.ino).value_or("");
  if (parent_ != gap.parent) {
    const auto path = reader->source_path(gap.parent);
    if (!path) return "";
    parent_path_ = *path;
    parent_ = gap.parent;
  }
  return join(parent_path_, gap.name);
}

}  // namespace ferryfs::remote
