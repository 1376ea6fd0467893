#include "remote/engine/migration/listing_waiters.hpp"

#include <utility>

#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote {

void listing_waiters::open() {
  const lock held{mutex_};
  open_ = true;
}

bool listing_waiters::await(inode directory, callback call) {
  if (add(directory, call)) return true;
  call(why_not_listed(directory));
  return false;
}

std::optional<failure> listing_waiters::why_not_listed(inode directory) {
  const auto row = readers_.borrow()->by_inode(directory);
  if (row && row->listed_mtime) return std::nullopt;
  const auto health = source_.state();
  if (!health.reachable) return failure{cause::unreachable, health.why};
  const auto why = readers_.borrow()->why_unlisted(directory);
  if (why && !why->text.empty()) return failure{why->denied ? cause::permission : cause::source_error, why->text};
  return failure{cause::unreachable, "the directory was never listed"};
}

bool listing_waiters::add(inode directory, callback& call) {
  const lock held{mutex_};
  const auto row = readers_.borrow()->by_inode(directory);
  if (!open_ || !row || row->listed_mtime) return false;
  calls_[directory].push_back(std::move(call));
  return true;
}

void listing_waiters::notify(inode directory, const std::optional<failure>& why) {
  std::vector<callback> calls;
  {
    const lock held{mutex_};
    const auto at = calls_.find(directory);
    if (at == calls_.end()) return;
    calls = std::move(at->second);
    calls_.erase(at);
  }
  post(std::move(calls), why);
}

void listing_waiters::close(const failure& why) {
  std::unordered_map<inode, std::vector<callback>> left;
  {
    const lock held{mutex_};
    open_ = false;
    left = std::exchange(calls_, {});
  }
  for (auto& [ino, calls] : left) post(std::move(calls), why);
}

void listing_waiters::post(std::vector<callback> calls, const std::optional<failure>& why) {
  answers_.post([calls = std::move(calls), why] {
    for (const auto& call : calls) contain("a listing", [&] { call(why); });
  });
}

}  // namespace ferryfs::remote
