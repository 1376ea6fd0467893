#include "remote/source/sftp/pending_requests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ferryfs::remote::sftp {

std::uint32_t pending_requests::add(request&& r) {
  const std::uint32_t id = next_id_++;
  requests_.emplace(id, std::move(r));
  return id;
}

request pending_requests::take(std::uint32_t id) {
  const auto at = requests_.find(id);
  if (at == requests_.end()) throw protocol_error{fmt::format("a reply to request {}, which was never sent", id)};
  request r = std::move(at->second);
  requests_.erase(at);
  last_answered_ = std::max(last_answered_, id);
  return r;
}

std::shared_ptr<task> pending_requests::owner_of_oldest() const {
  const request* oldest = nullptr;
  std::uint32_t oldest_id = 0;
  for (const auto& [id, r] : requests_)
    if (!r.owner->counted().ended() && (oldest == nullptr || id < oldest_id)) oldest = &r, oldest_id = id;
  return oldest == nullptr ? nullptr : oldest->owner;
}

std::vector<std::shared_ptr<task>> pending_requests::overtaken(clock::time_point now, clock::duration timeout) const {
  std::vector<std::shared_ptr<task>> stuck;
  for (const auto& [id, r] : requests_)
    if (id < last_answered_ && now - r.sent_at > timeout && !r.owner->counted().ended()) stuck.push_back(r.owner);
  return stuck;
}

std::vector<std::shared_ptr<task>> pending_requests::take_owners() {
  std::vector<std::shared_ptr<task>> owners;
  for (auto& [id, r] : std::exchange(requests_, {})) owners.push_back(std::move(r.owner));
  return owners;
}

}  // namespace ferryfs::remote::sftp
