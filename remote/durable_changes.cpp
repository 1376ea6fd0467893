#include "remote/durable_changes.hpp"

#include <spdlog/spdlog.h>

#include <system_error>

#include "index/exception_barrier.hpp"
#include "remote/decide/decisions_file.hpp"

namespace ferryfs::remote {
namespace {

std::uint64_t number_of(const std::optional<std::string>& text) { return text ? std::stoull(*text) : 0; }

}  // namespace

durable_changes::durable_changes(const destination& where, index::writer& index) : where_(where), index_(index) {
  index_.on_promise([this] {
    {
      const std::lock_guard lock{mutex_};
      if (std::exchange(promised_, true)) return;
    }
    wake_.notify_all();
  });
  // By what was killed.
  promised_ =
      index_.run([](index::transaction& t) { return !t.renaming().empty() || t.unwritten_decisions().last != 0; });
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

durable_changes::~durable_changes() {
  thread_.request_stop();
  thread_.join();
  index_.on_promise({});
}

void durable_changes::run(const std::stop_token& stop) {
  while (true) {
    std::unique_lock lock{mutex_};
    if (!wake_.wait(lock, stop, [&] { return promised_; })) return;
    wake_.wait_for(lock, stop, longest, [] { return false; });  // more come along for the same price
    promised_ = false;
    lock.unlock();
    if (const auto thrown = contain("durable changes", [&] { now(); })) {
      if (stop.stop_requested()) return;
      spdlog::error(
          "{}: what was deleted, renamed or decided in the last seconds may be lost if the power goes; it is "
          "tried again; check the disk",
          where_.path());
      const std::lock_guard again{mutex_};
      promised_ = true;
    }
  }
}

void durable_changes::now() {
  const std::lock_guard one{one_};
  const bool renamed = index_.run([](index::transaction& t) { return t.mark_renames_done() > 0; });
  if (const int problem = renamed ? where_.sync() : 0)
    throw std::system_error{problem, std::generic_category(), "the destination cannot be synced"};
  index_.make_durable();
  add_lines();
  if (renamed) index_.run([](index::transaction& t) { t.forget_marked_renames(); });
}

void durable_changes::add_lines() {
  while (true) {
    std::uint64_t known = 0;
    const auto lines = index_.run([&](index::transaction& t) {
      known = number_of(t.meta(decisions_length_key));
      return t.unwritten_decisions();
    });
    if (lines.last == 0) return;
    const auto length = append_decisions(where_.decisions_path(), known, lines.text);
    index_.run([&](index::transaction& t) {
      t.forget_decisions(lines.last);
      t.put_meta(decisions_length_key, std::to_string(length));
    });
  }
}

}  // namespace ferryfs::remote
