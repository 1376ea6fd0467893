#include "remote/engine/durable/durable_changes.hpp"

#include <limits>
#include <system_error>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/update/decisions_in_force.hpp"
#include "remote/engine/durable/decisions_file.hpp"

namespace ferryfs::remote {
namespace {

std::uint64_t number_of(const std::optional<std::string>& text) { return text ? std::stoull(*text) : 0; }

}  // namespace

durable_changes::durable_changes(const destination& where, index::writer& index) : where_(where), index_(index) {
  index_.on_promise([this] {
    if (!promised_.exchange(true) && phase_ == phase::running) begin_wait();
  });
}

durable_changes::~durable_changes() { end(); }

void durable_changes::end() {
  phase_ = phase::ended;
  index_.on_promise({});  // no job is behind its promise any more
  syncs_.stop_waiting();
  syncs_.drain();
}

void durable_changes::finish() {
  end();
  sync();
}

// More come along for the same price.
void durable_changes::begin_wait() {
  syncs_.post_at(steady_now() + longest, [this] { try_to_sync(); });
}

void durable_changes::start() {
  const auto length = length_of_decisions(where_.decisions_path());
  index_.run([&](index::transaction& t) {
    const auto known = t.meta(decisions_length_key);
    // Else the index is older than that file, or the file was removed.
    if (known && length >= number_of(known)) return;
    t.put_meta(decisions_length_key, std::to_string(length));
    t.forget_decisions(std::numeric_limits<std::int64_t>::max());
    index::decide_what_is_in_force(t);
  });
  // By a process that was killed.
  const bool left =
      index_.run([](index::transaction& t) { return !t.renaming().empty() || t.unwritten_decisions().last != 0; });
  syncs_.start();  // a promise must not find that there is no thread for it
  phase_ = phase::running;
  if (!promised_ && !left) return;
  promised_ = true;
  begin_wait();
}

void durable_changes::try_to_sync() {
  promised_ = false;
  if (!contain("durable changes", [&] { sync(); })) return;
  log_once(printable(where_.path()) +
           ": what was deleted, renamed or decided in the last seconds may be lost in a power cut; ferryfs tries "
           "again; check the disk and its free space");
  if (!promised_.exchange(true) && phase_ == phase::running) begin_wait();
}

// The index first: a rename that it knows is made again where the disk loses it.
void durable_changes::sync() {
  index_.sync();
  const bool renamed = index_.run([](index::transaction& t) {
    t.mark_renames_done();
    return t.has_marked_renames();
  });
  if (renamed) {
    if (const int problem = where_.sync())
      throw std::system_error{problem, std::generic_category(), "the destination cannot be synced"};
    index_.run([](index::transaction& t) { t.forget_marked_renames(); });
  }
  add_lines();
}

void durable_changes::add_lines() {
  while (true) {
    std::uint64_t known = 0;
    const auto lines = index_.run([&](index::transaction& t) {
      known = number_of(t.meta(decisions_length_key));
      return t.unwritten_decisions();
    });
    if (lines.last == 0) return;
    index_.sync();  // no line tells what the index may have lost
    const auto length = append_decisions(where_.decisions_path(), known, lines.text);
    index_.run([&](index::transaction& t) {
      t.forget_decisions(lines.last);
      t.put_meta(decisions_length_key, std::to_string(length));
    });
  }
}

}  // namespace ferryfs::remote
