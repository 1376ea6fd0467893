#include "remote/engine/fetch/fetch_pipeline.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/update/fetch_result.hpp"
#include "remote/engine/source_facts.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t write_threads = 2;

}  // namespace

fetch_pipeline::fetch_pipeline(dependencies d, std::chrono::seconds quiet)
    : dependencies_(d),
      writers_(write_threads),
      committer_(d.where, d.index, d.readers, answers_,
                 [this](const auto& p, const auto& why) { on_committed(p, why); }),
      quiescence_(quiet) {
  answers_.start();  // an end of a fetch must not find that there is no thread for it
}

void fetch_pipeline::on_low_watermark(std::size_t low, std::function<void()> call) {
  low_watermark_ = low;
  on_low_watermark_ = std::move(call);
}

void fetch_pipeline::start(const std::shared_ptr<picture_fetch>& p, priority where) {
  if (const auto thrown = contain("fetch", [&] { dependencies_.source.read(p, where); }))
    p->finished(failure_of(thrown, printable(p->path())), {});
}

void fetch_pipeline::promote(const std::shared_ptr<picture_fetch>& p) noexcept {
  contain("fetch", [&] { dependencies_.source.promote(p); });
}

// Runs on the write pool: the last byte is written, or will never come.
void fetch_pipeline::on_transfer_end(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why,
                                     const attributes& after) {
  if (const auto thrown = contain("fetch", [&] { judge(p, why, after); }))
    fail(p, failure_of(thrown, printable(p->path())), {});
}

// Where it throws, it has not handed the picture on.
void fetch_pipeline::judge(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why,
                           const attributes& after) {
  if (why && why->suspect && why->of_connection() && dependencies_.table.count_lost_connection(p->row().ino))
    return fail(
        p,
        {cause::source_error, fmt::format("{}: the connection ended {} times at this picture: {}", printable(p->path()),
                                          flight_table::most_lost_connections, why->text)},
        after);
  if (why && why->of_connection() && why->why != cause::cancelled && is_awaited(*p) &&
      dependencies_.source.state().reachable && p->try_again())
    return start(p, priority::demand);
  if (why) return fail(p, *why, after);
  switch (p->still_lacks(after)) {
    case transfer_plan::lacks::nothing:
      return complete(p, after, {});
    case transfer_plan::lacks::size:
      return look_for_size(p, after);
    case transfer_plan::lacks::end:
      break;
  }
  if (p->try_again()) return start(p, p->demanded() ? priority::demand : priority::background);
  fail(p, {cause::source_error, fmt::format("{}: the source does not show where the file ends", printable(p->path()))},
       after);
}

// A reader waits for a part of it, or, to write to it, for all.
bool fetch_pipeline::is_awaited(picture_fetch& p) {
  return p.is_awaited() || (p.demanded() && dependencies_.table.has_callbacks(p.row().ino));
}

// The listing and the open file showed another number of bytes than came: a look at the path may show that one.
void fetch_pipeline::look_for_size(const std::shared_ptr<picture_fetch>& p, const attributes& after) {
  dependencies_.source.stat(p->path(), [this, p, after](const std::optional<failure>& why, const attributes& seen) {
    writers_.post(p->row().ino, 0, [this, p, after, why, seen] {
      const bool known = !why || !why->of_connection();
      const auto thrown = contain("fetch", [&] {
        known ? complete(p, after, why ? std::nullopt : std::optional(seen)) : fail(p, *why, after);
      });
      if (thrown) fail(p, failure_of(thrown, printable(p->path())), {});
    });
  });
}

void fetch_pipeline::complete(const std::shared_ptr<picture_fetch>& p, const attributes& after,
                              const std::optional<attributes>& seen) {
  if (const auto wrong = p->complete(after, seen)) return fail(p, *wrong, after);
  const auto at_rest = quiescence_.observe(p->row().ino, p->size(), after.mtime.value_or(0));
  if (at_rest > quiescence_.monotonic()) return recheck_at(at_rest, p, after);
  commit(p);
}

// Meanwhile its readers are served.
void fetch_pipeline::recheck_at(serial_executor::clock::time_point when, const std::shared_ptr<picture_fetch>& p,
                                const attributes& before) {
  answers_.post_at(when, [this, p, before] {
    dependencies_.source.stat(p->path(), [this, p, before](const std::optional<failure>& why, const attributes& now) {
      writers_.post(p->row().ino, 0, [this, p, before, why, now] {
        if (why) return fail(p, *why, {});
        if (now == before || !shows_another(p->source_facts(), now, dependencies_.where.times())) return commit(p);
        fail(p, {cause::still_written, printable(p->path()) + ": still being written on the source"}, now);
      });
    });
  });
}

void fetch_pipeline::commit(const std::shared_ptr<picture_fetch>& p) {
  committer_.add(p);
  end_transfer();
}

// The picture may be local already, and everybody notified: the table counts this as a notification as well, so that
// `drain` waits for its end.
void fetch_pipeline::end_transfer() noexcept {
  const std::size_t left = dependencies_.table.end_transfer();
  if (left == low_watermark_ && on_low_watermark_) contain("fetch", on_low_watermark_);
  if (left == 0) committer_.flush();
  dependencies_.table.end_notification();
}

void fetch_pipeline::fail(const std::shared_ptr<picture_fetch>& p, const failure& why,
                          const attributes& after) noexcept {
  const auto& where = dependencies_.where;
  where.remove_partial(p->row().ino);
  end_transfer();
  // Readers of a picture that is being written go on with what they got: it was the picture at that moment.
  const bool seen = why.why == cause::still_written ? p->handed_out() : p->reject();
  const bool another = after.mode != 0 && shows_another(*p->row().source, after, where.times());
  const bool is_changed = why.why == cause::changed && another;
  if (contain("fetch", [&] { is_changed ? apply_change_while_fetched(p, after) : apply_fetch_failure(p, why, seen); }))
    post_end(p, why);
}

void fetch_pipeline::on_committed(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why) {
  if (!why) return end(p, why);
  // Readers of a picture that was removed here read on, as of any file.
  apply_fetch_failure(p, *why, why->why != cause::cancelled && p->reject());
}

// A failure of this picture stays with it in the index; one of the connection or the disk says nothing of it.
// `seen`: bytes of it were handed out, which the kernel is to keep no longer.
void fetch_pipeline::apply_fetch_failure(const std::shared_ptr<picture_fetch>& p, const failure& why, bool seen) {
  const bool of_picture = !why.of_connection() && why.why != cause::still_written && !why.of_disk();
  if (of_picture) spdlog::warn("fetch failed: {}", why.text);
  if (!of_picture && !seen) return post_end(p, why);
  dependencies_.index.post(
      [ino = p->row().ino, text = why.text, now = wall_seconds(), of_picture, seen](index::transaction& t) {
        if (of_picture) index::apply_fetch_failure(t, ino, text, now);
        if (seen) t.note({index::change::what::content, ino, {}});
      },
      [this, p, why](std::exception_ptr) { post_end(p, why); });
}

// The source shows another picture than the index: the index learns it, and readers are answered from the new one.
void fetch_pipeline::apply_change_while_fetched(const std::shared_ptr<picture_fetch>& p, const attributes& after) {
  const file_facts shown = updated_facts(*p->row().source, after, dependencies_.where.times());
  dependencies_.index.post([ino = p->row().ino, shown, now = wall_seconds()](
                               index::transaction& t) { index::apply_change_while_fetched(t, ino, shown, now); },
                           [this, p](std::exception_ptr) {
                             post_end(p, failure{cause::changed, p->path() + ": changed on the source"});
                           });
}

void fetch_pipeline::post_end(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why) {
  answers_.post([this, p, why] { end(p, why); });
}

// On the executor: the picture is local, or failed. It leaves the table, then its readers and callbacks are called.
void fetch_pipeline::end(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why) {
  const auto calls = dependencies_.table.remove(*p, !why);
  p->release_reserved();
  why ? p->answer_all(*why) : p->answer_all(local_read{});
  for (const auto& call : calls) contain("end of a fetch", [&] { call(why); });
  dependencies_.table.end_notification();
}

}  // namespace ferryfs::remote
