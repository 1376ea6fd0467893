// Reads of the fake archive: by its own thread, or held and answered by the test.
#include <algorithm>
#include <chrono>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>

#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {

using remote::attributes;
using remote::failure;
using remote::reading;

void fake_archive::read(std::shared_ptr<reading> to, remote::priority) {
  const std::string path = to->path();
  check_taken(path);
  {
    const std::lock_guard lock{mutex_};
    reads_.push_back(path);
    if (holds_ && !stopped_) {
      held_.emplace(path, std::move(to));
      changed_.notify_all();
      return;
    }
  }
  changed_.notify_all();
  post([this, to = std::move(to)](const auto& refused) { refused ? to->finished(refused, {}) : read_now(to); });
}

void fake_archive::read_now(const std::shared_ptr<reading>& to) {
  const std::string path = to->path();
  if (const auto wrong = fault_of(path)) return to->finished(wrong->why, {});
  const auto next = to->next_range(64U << 10);
  if (next.what == remote::next_step::done) return to->finished(std::nullopt, shown(path, false));
  if (next.what == remote::next_step::throttled) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } else {
    hand_over(*to, next.part);
  }
  post([this, to](const auto& refused) { refused ? to->finished(refused, {}) : read_now(to); });
}

void fake_archive::promote(const std::shared_ptr<reading>& which) {
  const std::lock_guard lock{mutex_};
  raised_.push_back(which->path());
}

bool fake_archive::awaits(const std::string& path) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return held_.contains(path); });
}

std::shared_ptr<reading> fake_archive::at_hand(const std::string& path, bool take) {
  if (!awaits(path)) throw std::logic_error(path + ": no read was asked for");
  const std::lock_guard lock{mutex_};
  const auto at = held_.find(path);
  auto to = at->second;
  if (take) held_.erase(at);
  return to;
}

reading::next fake_archive::ask(const std::string& path, std::uint32_t at_most) {
  return at_hand(path, false)->next_range(at_most);
}

void fake_archive::answer(const std::string& path, std::uint64_t offset, std::uint32_t length) {
  hand_over(*at_hand(path, false), {offset, length, true});
}

// As a server does: what there is, and the end where more was asked for; but for one byte beyond it.
void fake_archive::hand_over(reading& to, const remote::range& part) {
  std::string bytes;
  {
    const std::lock_guard lock{mutex_};
    const auto& content = tree_.at(to.path()).content;
    bytes = content.substr(std::min<std::uint64_t>(part.offset, content.size()), part.length);
  }
  if (!bytes.empty()) to.arrived(part.offset, std::as_bytes(std::span(bytes)));
  const bool whole = bytes.size() + (part.beyond && !bytes.empty() ? 1 : 0) >= part.length;
  if (!whole) to.ends(part.offset + bytes.size());
}

void fake_archive::answer_all(const std::string& path, std::uint32_t at_most) {
  for (auto next = ask(path, at_most); next.what != remote::next_step::done; next = ask(path, at_most)) {
    if (next.what == remote::next_step::more) hand_over(*at_hand(path, false), next.part);
  }
}

void fake_archive::finish(const std::string& path, std::optional<failure> why) {
  at_hand(path, true)->finished(why, why ? attributes{} : shown(path, false));
}

void fake_archive::finish_all(const std::string& path) {
  while (true) {
    {
      const std::lock_guard lock{mutex_};
      if (!held_.contains(path)) return;
    }
    serve(path);
  }
}

void fake_archive::serve(const std::string& path) {
  answer_all(path);
  finish(path);
}

}  // namespace ferryfs::test
