#include "remote/engine/durable/durable_changes.hpp"

#include <limits>
#include <system_error>

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
    {
      const lock held{mutex_};
      if (std::exchange(promised_, true)) return;
    }
    wake_.notify_all();
  });
}

durable_changes::~durable_changes() {
  end_thread();
  index_.on_promise({});
}

void durable_changes::end_thread() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void durable_changes::finish() {
  end_thread();
  sync();
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
  const lock held{mutex_};
  promised_ = promised_ || left;
  thread_ = thread{"durability", [this](const std::stop_token& stop) { run(stop); }};
}

void durable_changes::run(const std::stop_token& stop) {
  while (true) {
    {
      lock waiting{mutex_};
      if (!wake_.wait(waiting, stop, [&]() REQUIRES(mutex_) { return promised_; })) return;
      wake_.wait_for(waiting, stop, longest, [] { return false; });  // more come along for the same price
      promised_ = false;
    }
    if (const auto thrown = contain("durable changes", [&] { sync(); })) {
      log_once(printable(where_.path()) +
               ": what was deleted, renamed or decided in the last seconds may be lost in a power cut; ferryfs tries "
               "again; check the disk and its free space");
      if (stop.stop_requested()) return;
      const lock held{mutex_};
      promised_ = true;
    }
  }
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
