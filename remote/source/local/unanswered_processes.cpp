#include "remote/source/local/unanswered_processes.hpp"

#include <algorithm>

#include "index/base/clock.hpp"

namespace ferryfs::remote {

bool unanswered_processes::has_answer() const {
  return std::any_of(processes_.begin(), processes_.end(), [](const auto& p) { return p->has_answered(); });
}

void unanswered_processes::reap() {
  const std::size_t ended = std::erase_if(processes_, [](const auto& p) { return p->has_ended(); });
  room_ = std::max(usual_room, room_ - std::min(room_, ended));
}

bool unanswered_processes::has_room(bool mounts_changed) {
  reap();
  if (processes_.size() < room_) return true;
  if (mounts_changed && processes_.size() < most_room) {
    room_ = processes_.size() + 1;
    return true;
  }
  const auto waits = [](const auto& p) { return !p->is_killed(); };
  const auto first = std::find_if(processes_.begin(), processes_.end(), waits);
  if (first == processes_.end()) return false;
  const auto next = std::find_if(first + 1, processes_.end(), waits);
  if (next != processes_.end()) (*next)->kill();
  return false;
}

void unanswered_processes::kill_all() {
  constexpr std::chrono::milliseconds end_time{200};
  for (const auto& p : processes_) p->kill();
  for (const auto end = steady_now() + end_time;; reap()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - steady_now());
    if (processes_.empty() || left.count() <= 0) break;
    std::vector<pollfd> ends;
    for (const auto& p : processes_) ends.push_back({p->handle(), POLLIN, 0});
    ::poll(ends.data(), ends.size(), static_cast<int>(left.count()));
  }
  room_ = std::min(processes_.size() + usual_room, most_room);
}

std::vector<pollfd> unanswered_processes::answers() const {
  std::vector<pollfd> all;
  for (const auto& p : processes_)
    if (!p->is_killed()) all.push_back({p->line(), POLLIN, 0});
  return all;
}

std::vector<pollfd> unanswered_processes::answers_and_ends() const {
  std::vector<pollfd> all = answers();
  for (const auto& p : processes_) all.push_back({p->handle(), POLLIN, 0});
  return all;
}

}  // namespace ferryfs::remote
