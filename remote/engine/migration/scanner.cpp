#include "remote/engine/migration/scanner.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "remote/engine/durable/replay_decisions.hpp"
#include "remote/engine/scan/destination_scan.hpp"
#include "remote/engine/scan/judge_links.hpp"

namespace ferryfs::remote {
namespace {

// Which file system the source's root lies on now: another disk may have been mounted since the last time.
std::optional<std::uint64_t> ask_for_file_system(archive& source) {
  const auto answered = std::make_shared<promise<answer_mark>>();
  const auto thrown = contain("scan", [&] {
    source.stat("", [answered](const std::optional<failure>&, const attributes&) { answered->set_value({}); });
  });
  if (thrown) return std::nullopt;
  answered->get();  // each request ends, also when all is to stop
  return source.file_system();
}

bool is_whole(const source_scan::result& r) { return !r.cut_short && r.suspicious.empty(); }

}  // namespace

scanner::scanner(dependencies d)
    : needs_(std::move(d)),
      memory_(needs_.index, needs_.readers),
      listing_waiters_(needs_.source, needs_.readers, needs_.answers) {}

void scanner::restore() {
  lacks_decisions_ = remote::lacks_decisions(needs_.where, needs_.index);
  auto why = memory_.suspicion();
  const lock held{mutex_};
  suspicion_ = std::move(why);
}

void scanner::start(std::optional<std::chrono::seconds> period) {
  if (period) {
    const lock held{mutex_};
    schedule_.set_period(*period);
  }
  listing_waiters_.open();
  thread_ = thread{"scanner", [this](const std::stop_token& stop) { run(stop); }};
}

void scanner::cancel() {
  {
    const lock held{mutex_};
    ending_ = true;
    if (running_) running_->cancel();
  }
  thread_.request_stop();
}

void scanner::join() {
  if (thread_.joinable()) thread_.join();
}

void scanner::request(scan_schedule::callback call, scan_schedule::pass how, bool believe) {
  const lock held{mutex_};
  schedule_.request(std::move(call), how, believe);
  wake_.notify_all();
}

void scanner::request_repair() {
  const lock held{mutex_};
  schedule_.request_repair();
  wake_.notify_all();
}

void scanner::set_source_back() {
  const lock held{mutex_};
  schedule_.set_source_back();
  wake_.notify_all();
}

std::string scanner::suspicion() {
  const lock held{mutex_};
  return suspicion_;
}

scanner::state scanner::now() {
  const lock held{mutex_};
  return {running_ != nullptr, running_ ? running_->so_far() : last_};
}

void scanner::when_listed(inode directory, listing_waiters::callback call) {
  if (!listing_waiters_.await(directory, std::move(call))) return;
  std::shared_ptr<source_scan> scan;
  {
    const lock held{mutex_};
    scan = running_;
  }
  if (scan) scan->prioritize(directory);  // else it is about to begin
}

void scanner::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto order = begin();
    const auto begun = wall_now();
    source_scan::result result;
    if (const auto thrown = contain("scan", [&] { result = scan(stop, order); }))
      result = give_up(failure_of(thrown, "the scan ended early"));
    report(order, result, begun);
    pause(order, stop);
  }
}

scan_schedule::order scanner::begin() {
  listing_waiters_.open();
  const lock held{mutex_};
  return schedule_.begin();
}

void scanner::pause(const scan_schedule::order& o, const std::stop_token& stop) {
  lock waiting{mutex_};
  const auto time = schedule_.end(o, saw_destination_);
  const auto is_due = [&]() REQUIRES(mutex_) { return schedule_.is_due(); };
  if (time)
    wake_.wait_for(waiting, stop, *time, is_due);
  else
    wake_.wait(waiting, stop, is_due);
}

void scanner::report(const scan_schedule::order& o, const source_scan::result& r,
                     std::chrono::system_clock::time_point begun) {
  const auto call_listener = [&] {
    if (on_scanned_ && !r.cut_short) contain("report of a scan", [&] { on_scanned_(r, o.requested, begun); });
  };
  if (o.requested) call_listener();
  for (const auto& call : o.callers) contain("end of a scan", [&] { call(r); });
  if (!o.requested) call_listener();
}

source_scan::result scanner::give_up(const failure& why) {
  source_scan::result r;
  r.failures.push_back(why);
  r.cut_short = true;
  needs_.on_destination_known();
  listing_waiters_.close(why);
  const lock held{mutex_};
  running_.reset();
  return last_ = r;
}

source_scan::result scanner::scan(const std::stop_token& stop, const scan_schedule::order& o) {
  saw_destination_ = false;
  const auto lost = needs_.readers.borrow()->lost_totals().files;
  const auto file_system = ask_for_file_system(needs_.source);
  const bool another_disk = memory_.shows_another(file_system);
  if (another_disk) spdlog::info("another file system is mounted at the source than before; all of it is listed again");
  const auto source = start_source_scan(o, another_disk);
  const auto problem = scan_here(stop, o.full, source);
  // Replication may begin while the source is still being listed: the index knows the gaps of the last scan. After a
  // scan that was not believed it waits for this one.
  needs_.on_destination_known();
  auto result = source->get();
  // A scan that saw nothing, as its root can't be listed, takes no suspicion back.
  const bool saw_source = !result.cut_short && (result.names > 0 || result.empty);
  if (!result.suspicious.empty() || saw_source) set_suspicion(result.suspicious);
  if (problem) result.failures.insert(result.failures.begin(), *problem);
  contain("links of the source", [&] { judge_links(needs_.where, needs_.index, needs_.readers, needs_.links); });
  // A directory that can't be read is asked for again by the next scan, which need not be a full one for that.
  if (!problem && !result.cut_short) remember(result);
  if (saw_source && result.complete()) memory_.set_source(file_system, result.empty);
  close_listings(result);
  {
    const lock held{mutex_};
    running_.reset();
    last_ = result;
  }
  // Again: a pause that was lifted while the first scan ran is lifted by this.
  needs_.on_destination_known();
  if (const auto more = needs_.readers.borrow()->lost_totals().files - lost; more > 0)
    spdlog::warn("scan: {} pictures disappeared from the source before they were fetched", more);
  needs_.on_scan_end();
  return result;
}

scanner::scan_answer scanner::start_source_scan(const scan_schedule::order& o, bool another_disk) {
  const auto finished = std::make_shared<promise<source_scan::result>>();
  auto s = std::make_shared<source_scan>(
      source_scan::dependencies{
          needs_.source, needs_.index, needs_.readers, needs_.excluded,
          [this](inode ino, const std::optional<failure>& why) { listing_waiters_.notify(ino, why); },
          [finished](const source_scan::result& r) { finished->set_value(r); }, needs_.where.times(),
          belief{needs_.believe_loss, memory_.may_be_empty(), o.believe, another_disk}},
      o.full || o.believe || another_disk || memory_.is_filter_changed(needs_.excluded.fingerprint()) ||
          !suspicion().empty());
  {
    const lock held{mutex_};
    running_ = s;
    if (ending_) s->cancel();
  }
  s->start();
  return finished;
}

// Returns why the destination could not be scanned.
std::optional<failure> scanner::scan_here(const std::stop_token& stop, bool full, const scan_answer& source) {
  const auto thrown = contain("scan", [&] {
    // Decisions are about pictures of the source, so they come after its scan; they say which picture of the source a
    // file here belongs to, so they come before the scan of the destination.
    if (lacks_decisions_ && is_whole(source->get())) {
      replay_decisions(needs_.where, needs_.index);
      lacks_decisions_ = false;
      cache_.clear();
    }
    if (full) cache_.clear();
    scan_destination(needs_.where, needs_.index, needs_.readers, stop, cache_);
  });
  saw_destination_ = !thrown;
  if (!thrown) return std::nullopt;
  return failure{cause::local_error, "the destination could not be scanned: " + text_of(thrown)};
}

void scanner::set_suspicion(const std::string& why) {
  {
    const lock held{mutex_};
    if (suspicion_ == why) return;
    suspicion_ = why;
  }
  if (!why.empty()) {
    spdlog::warn("{}", why);
    needs_.on_suspicion();
  }
  memory_.set_suspicion(why);
}

void scanner::close_listings(const source_scan::result& r) {
  if (r.failures.empty()) return listing_waiters_.close({cause::not_found, "the directory is no longer on the source"});
  for (const auto& f : r.failures)
    if (f.why != cause::cancelled) spdlog::warn("scan: {}", f.text);
  listing_waiters_.close(r.failures.front());
}

void scanner::remember(const source_scan::result& r) {
  all_listed_ = true;
  memory_.set_scanned(needs_.excluded.fingerprint());
  spdlog::info("scan of the source {}: {} directories listed, {} unchanged, {} names",
               r.complete() ? "complete" : "ended", r.directories, r.skipped, r.names);
}

}  // namespace ferryfs::remote
