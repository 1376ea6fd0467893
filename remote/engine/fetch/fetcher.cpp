#include "remote/engine/fetch/fetcher.hpp"

#include <fmt/format.h>

#include <utility>

#include "index/base/mutex.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote {

fetcher::fetcher(const destination& where, archive& source, index::writer& index, index::readers& readers,
                 limiter& limit, std::uint64_t min_free, std::chrono::seconds quiet)
    : where_(where),
      readers_(readers),
      limit_(limit),
      min_free_(min_free),
      direct_(where, source, index),
      pipeline_({where, source, index, readers, table_}, quiet) {}

void fetcher::drain() {
  pipeline_.stop_waiting();
  table_.drain();
  direct_.drain();
  pipeline_.answers().drain();
}

flight_table::flight& fetcher::make(const entry& e, std::uint64_t begun_at, std::string path, bool demanded) {
  return table_.add(std::make_shared<picture_fetch>(
      picture_fetch::dependencies{where_, pipeline_.writers(), limit_, min_free_, reserved_, last_activity_,
                                  [this](const auto& self, const auto& why, const auto& after) {
                                    pipeline_.on_transfer_end(self, why, after);
                                  }},
      e, begun_at, std::move(path), demanded));
}

void fetcher::wait_for(picture_fetch& p, std::uint64_t offset, std::uint64_t length, std::uint64_t id,
                       read_callback call) {
  p.wait_for(offset, length, id, or_direct(p.row().ino, offset, length, id, std::move(call)));
}

std::uint64_t fetcher::await_range(inode ino, std::uint64_t offset, std::uint64_t length, read_callback call) {
  const std::uint64_t id = next_id_++;
  lock held{table_.mutex()};
  if (const auto* known = table_.find(ino)) {
    const auto p = known->fetch;
    held.unlock();
    const bool promotes = !p->demanded();
    wait_for(*p, offset, length, id, std::move(call));
    if (promotes) pipeline_.promote(p);
    return id;
  }
  // The second look: it may have become local between the caller's look at the index and this one.
  const auto begun_at = where_.namespace_version().load();
  const auto reader = readers_.borrow();
  const auto e = reader->by_inode(ino);
  const auto path = e ? reader->source_path(ino) : std::nullopt;
  if (!e || !path || e->is_local() || !e->source) {
    held.unlock();
    e && e->is_local() ? call(local_read{})
                       : call(failure{cause::not_found, fmt::format("inode {}: no such picture", ino)});
    return id;
  }
  if (!fits(e->source->size)) {
    held.unlock();
    give_up_unread(e->source->size);
    direct_.read(*e, *path, offset, length, id, std::move(call));
    return id;
  }
  const auto p = make(*e, begun_at, *path, true).fetch;
  held.unlock();
  wait_for(*p, offset, length, id, std::move(call));
  pipeline_.start(p, priority::demand);
  return id;
}

bool fetcher::fits(std::uint64_t size) const {
  const std::uint64_t free = where_.free_bytes();
  return free >= min_free_ && free - min_free_ >= reserved_ + size;
}

// Where a picture of this size finds no room: what a reader began and has left is not worth its own. It is taken away
// as soon as the source has answered what it was asked, which makes room for the next.
void fetcher::give_up_unread(std::uint64_t size) {
  std::uint64_t freed = 0;
  for (const auto& p : table_.unread(open_)) {
    if (freed >= size) return;
    p->give_up({cause::no_room,
                printable(p->path()) + ": no longer fetched, as nobody reads it and others need its room on the disk"});
    freed += p->size();
  }
}

// `call` for a picture that may prove too large for the disk: the source answers the read then, and nothing is kept.
read_callback fetcher::or_direct(inode ino, std::uint64_t offset, std::uint64_t length, std::uint64_t id,
                                 read_callback call) {
  return [this, ino, offset, length, id, call = std::move(call)](const read_result& result) {
    const auto* why = std::get_if<failure>(&result);
    if (why == nullptr || !why->of_disk()) return call(result);
    std::optional<entry> e;
    std::optional<std::string> path;
    {
      const auto reader = readers_.borrow();
      e = reader->by_inode(ino);
      path = e ? reader->source_path(ino) : std::nullopt;
    }
    if (!path || !e->source || !e->is_gap()) return call(result);
    direct_.read(*e, *path, offset, length, id, call);
  };
}

void fetcher::cancel(inode ino, std::uint64_t id) {
  direct_.cancel(id);
  if (const auto p = table_.picture_of(ino)) p->cancel(id);
}

fetcher::clock::time_point fetcher::last_activity(inode ino) {
  const auto p = table_.picture_of(ino);
  if (!p) return direct_.last_activity(ino);
  const auto of_picture = p->last_activity();
  return of_picture == clock::time_point{} ? last_activity_.load() : of_picture;
}

void fetcher::fetch(const entry& gap, std::string path, priority where, fetch_callback call) {
  lock held{table_.mutex()};
  if (auto* known = table_.find(gap.ino)) {
    known->callbacks.push_back(std::move(call));
    const auto p = known->fetch;
    held.unlock();
    if (where == priority::demand && !p->demanded()) p->demand(), pipeline_.promote(p);
    return;
  }
  // Looks at the index again under the lock, as above.
  const auto begun_at = where_.namespace_version().load();
  const auto now = readers_.borrow()->by_inode(gap.ino);
  const bool failed_since = now && now->state == state::failed && gap.state == state::missing;
  const bool unwanted = failed_since || (now && now->state == state::skipped);
  if (!now || !now->is_gap() || (where == priority::background && unwanted)) {
    held.unlock();
    if (now && now->is_local()) return call(std::nullopt);
    return call(failure{cause::not_found, printable(path) + ": no longer to be fetched"});
  }
  if (where == priority::demand && !fits(now->source->size)) {
    held.unlock();
    give_up_unread(now->source->size);
    return call(failure{
        cause::no_room,
        fmt::format("{}: the destination's disk has no room for its {} bytes (--min-free keeps {}); free some space",
                    printable(path), now->source->size, min_free_)});
  }
  auto& added = make(*now, begun_at, std::move(path), where == priority::demand);
  added.callbacks.push_back(std::move(call));
  const auto p = added.fetch;
  held.unlock();
  pipeline_.start(p, where);
  // A reader that came before it was queued found nothing to promote.
  if (where == priority::background && p->demanded()) pipeline_.promote(p);
}

}  // namespace ferryfs::remote
