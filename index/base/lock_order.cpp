#include "index/base/lock_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace ferryfs {
namespace {

constinit thread_local held_locks mine;

}  // namespace

held_locks& locks_held() noexcept { return mine; }

std::string ordered_lock::name() const { return fmt::format("{} ({}:{})", name_of(level_), made_.file, made_.line); }

std::string ordered_lock::objection() const {
  const auto end = mine.all.begin() + mine.count;
  const auto below = std::find_if(mine.all.begin(), end, [&](const auto* l) { return l->level_ >= level_; });
  if (below != end) return fmt::format("{} is taken under {}", name(), (*below)->name());
  return mine.count == held_locks::most ? fmt::format("{} is one lock too many", name()) : "";
}

void ordered_lock::check() const noexcept {
  const std::string why = objection();
  if (why.empty()) return;
  std::fprintf(stderr, "locks out of order: %s\n", why.c_str());
  std::abort();
}

void ordered_lock::enter() const noexcept {
  if (mine.count < held_locks::most) mine.all[mine.count++] = this;
}

bool ordered_lock::is_held() const noexcept {
  const auto end = mine.all.begin() + mine.count;
  return std::find(mine.all.begin(), end, this) != end;
}

void ordered_lock::leave() const noexcept {
  const auto end = mine.all.begin() + mine.count;
  const auto at = std::find(mine.all.begin(), end, this);
  if (at == end) return;
  std::move(at + 1, end, at);
  --mine.count;
}

}  // namespace ferryfs
