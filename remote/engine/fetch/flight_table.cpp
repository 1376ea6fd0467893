#include "remote/engine/fetch/flight_table.hpp"

#include <utility>

namespace ferryfs::remote {

flight_table::flight* flight_table::find(inode ino) {
  const auto at = in_flight_.find(ino);
  return at == in_flight_.end() ? nullptr : &at->second;
}

flight_table::flight& flight_table::add(std::shared_ptr<picture_fetch> p) {
  const inode ino = p->row().ino;
  ++transfers_;
  return in_flight_.emplace(ino, flight{std::move(p), {}}).first->second;
}

std::shared_ptr<picture_fetch> flight_table::picture_of(inode ino) {
  const lock held{mutex_};
  const flight* f = find(ino);
  return f == nullptr ? nullptr : f->fetch;
}

bool flight_table::has_callbacks(inode ino) {
  const lock held{mutex_};
  const flight* f = find(ino);
  return f != nullptr && !f->callbacks.empty();
}

std::vector<std::shared_ptr<picture_fetch>> flight_table::unread(const open_files_query& open) {
  std::vector<std::shared_ptr<picture_fetch>> all;
  const lock held{mutex_};
  for (const auto& [ino, f] : in_flight_)
    if (f.callbacks.empty() && !f.fetch->is_complete() && !f.fetch->is_awaited() && !open.is_open(ino))
      all.push_back(f.fetch);
  return all;
}

std::size_t flight_table::end_transfer() noexcept {
  const lock held{mutex_};
  ++pending_notifications_;
  return --transfers_;
}

std::vector<fetch_callback> flight_table::remove(const picture_fetch& p, bool committed) {
  std::vector<fetch_callback> calls;
  const lock held{mutex_};
  if (const auto at = in_flight_.find(p.row().ino); at != in_flight_.end()) {
    calls = std::move(at->second.callbacks);
    in_flight_.erase(at);
  }
  if (committed) {
    lost_connections_.erase(p.row().ino);
    meter_.add(p.size(), steady_now());
  }
  ++pending_notifications_;
  return calls;
}

void flight_table::end_notification() noexcept {
  const lock held{mutex_};
  if (--pending_notifications_ == 0 && in_flight_.empty() && transfers_ == 0) empty_.notify_all();
}

bool flight_table::count_lost_connection(inode ino) {
  const lock held{mutex_};
  if (++lost_connections_[ino] < most_lost_connections) return false;
  lost_connections_.erase(ino);
  return true;
}

std::size_t flight_table::transfers() {
  const lock held{mutex_};
  return transfers_;
}

std::vector<flight_table::progress> flight_table::list(std::size_t at_most) {
  std::vector<progress> all;
  const lock held{mutex_};
  for (const auto& [ino, f] : in_flight_) {
    if (all.size() == at_most) break;
    if (f.fetch->begun()) all.push_back({f.fetch->path(), f.fetch->size(), f.fetch->demanded()});
  }
  return all;
}

bool flight_table::has_begun(inode ino) {
  const lock held{mutex_};
  const flight* f = find(ino);
  return f != nullptr && f->fetch->begun();
}

rate_meter::reading flight_table::throughput() {
  const lock held{mutex_};
  return meter_.read(steady_now());
}

void flight_table::drain() {
  lock held{mutex_};
  empty_.wait(held,
              [&]() REQUIRES(mutex_) { return in_flight_.empty() && transfers_ == 0 && pending_notifications_ == 0; });
}

}  // namespace ferryfs::remote
