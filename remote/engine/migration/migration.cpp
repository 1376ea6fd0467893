#include "remote/engine/migration/migration.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <future>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/query/completeness.hpp"
#include "remote/destination/rename_recovery.hpp"
#include "remote/engine/durable/replay_decisions.hpp"
#include "remote/engine/scan/destination_scan.hpp"
#include "remote/engine/scan/judge_links.hpp"

namespace ferryfs::remote {
namespace {

constexpr unsigned full_every = 12;                     // scans: finds pictures that were overwritten in place
constexpr std::chrono::seconds least_repair_pause{10};  // until a scan that is to repair the index is tried again
constexpr std::chrono::seconds most_repair_pause{300};  // after many in vain

std::string now_text() {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

// Keys of meta.
constexpr const char* file_system_key = "source_file_system";
constexpr const char* empty_key = "source_may_be_empty";

// Which file system the source's root lies on now: another disk may have been mounted since the last look.
std::optional<std::uint64_t> look_for_file_system(archive& source) {
  const auto looked = std::make_shared<std::promise<void>>();
  const auto thrown = contain("scan", [&] {
    source.stat("", [looked](const std::optional<failure>&, const attributes&) { looked->set_value(); });
  });
  if (thrown) return std::nullopt;
  looked->get_future().wait();  // each request ends, also when all is to stop
  return source.file_system();
}

// Who looks at the archive knows it by each of these.
index::link_rules rules_of(const settings& s, const destination& where) {
  index::link_rules rules{s.links, {where.path(), real_path(where.path())}};
  if (!s.mountpoint.empty()) rules.roots.push_back(s.mountpoint);
  return rules;
}

}  // namespace

migration::migration(const settings& s, const destination& where, std::unique_ptr<archive> source)
    : settings_(s),
      where_(where),
      links_(rules_of(s, where)),
      index_(where.index_path()),
      durable_(where, index_),
      readers_(where.index_path(), [this] { index_.commit_pending(); }),
      filter_(s.exclude, s.profile),
      source_(std::move(source)),
      fetch_(where, *source_, index_, readers_, limit_, s.min_free, s.quiet),
      replicate_({where, *source_, index_, readers_, fetch_, links_}, s.min_free) {
  index_.on_rollback([this](const std::string& why) {
    spdlog::error("the last files made here are not in the index ({}); both sides are looked at again", why);
    const std::lock_guard lock{mutex_};
    requested_ = full_requested_ = to_repair_ = true;
    wake_.notify_all();
  });
  recover_renames(where_, index_);
  to_replay_ = lacks_decisions(where_, index_);
  suspicion_ = readers_.borrow()->meta(index::suspicious_key).value_or("");
  durable_.start();
  limit_.set(s.limit);
  // Last: the archive's threads call this, and a constructor that throws does not wait for them.
  source_->set_listener([this](const archive::health& h) {
    h.reachable ? spdlog::info("source is reachable again") : spdlog::warn("source is unreachable: {}", h.why);
    if (!h.reachable) return;
    replicate_.look_again();
    const std::lock_guard lock{mutex_};
    came_back_ = true;
    wake_.notify_all();
  });
}

migration::~migration() {
  stop();
  index_.drain();  // a loss of what is held is told of while there still is somebody to tell
}

void migration::watch(const open_files_query& open) {
  index_.set_written_query(open.is_written);
  fetch_.watch(open);
}

void migration::stop() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
    if (running_) running_->cancel();
  }
  scanner_.request_stop();
  replicate_.pause();
  source_->stop();  // ends every request, and with them the scan and the fetches
  if (scanner_.joinable()) scanner_.join();
  replicate_.stop();  // before the last fetch has ended: it is told of each
  fetch_.drain();
}

void migration::start(work w) {
  work_ = w;
  scanning_ = true;
  scanner_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void migration::run(const std::stop_token& stop) {
  unsigned round = 0;
  auto repair_pause = least_repair_pause;
  while (!stop.stop_requested()) {
    std::vector<std::function<void(const source_scan::result&)>> requesters;
    bool full = false, repairs = false, believe = false;
    {
      const std::lock_guard lock{mutex_};
      requested_ = false;
      repairs = std::exchange(to_repair_, false);
      full = std::exchange(full_requested_, false);
      believe = std::exchange(believe_, false);
      came_back_ = false;
      scanning_ = true;
      requesters = std::exchange(requesters_, {});
    }
    const auto begun = std::chrono::system_clock::now();
    source_scan::result result;
    if (const auto thrown = contain("scan", [&] { result = scan(stop, full || round % full_every == 0, believe); }))
      result = give_up_scan(failure_of(thrown, "the scan ended early"));
    const auto tell = [&] {
      if (scan_told_ && !result.cut_short) contain("report of a scan", [&] { scan_told_(result, full, begun); });
    };
    if (full) tell();
    for (const auto& call : requesters) contain("end of a scan", [&] { call(result); });
    if (!full) tell();
    ++round;

    std::unique_lock lock{mutex_};
    to_repair_ = to_repair_ || (repairs && !looked_here_);
    const bool again = work_.rescan && settings_.rescan.count() > 0;
    const auto event = [&] { return requested_ || (came_back_ && work_.rescan); };
    if (to_repair_) {
      wake_.wait_for(lock, stop, repair_pause, event);
      repair_pause = std::min(2 * repair_pause, most_repair_pause);
      full_requested_ = true;
    } else {
      repair_pause = least_repair_pause;
      again ? void(wake_.wait_for(lock, stop, settings_.rescan, event)) : void(wake_.wait(lock, stop, event));
    }
  }
}

source_scan::result migration::give_up_scan(const failure& why) {
  source_scan::result r;
  r.failures.push_back(why);
  r.cut_short = true;
  begin_replication();
  fail_listings(why);
  const std::lock_guard lock{mutex_};
  running_.reset();
  return last_ = r;
}

// What lies on the destination is known. A pause holds the limiter first, and lasts over scans.
void migration::begin_replication() {
  if (!work_.replicate || !may_replicate() || limit_.holds()) return;
  replicate_.resume();
  if (limit_.holds()) replicate_.pause();  // it came between the two
}

std::string migration::suspicion() {
  const std::lock_guard lock{mutex_};
  return suspicion_;
}

void migration::suspect(const std::string& why) {
  if (suspicion() == why) return;
  if (!why.empty()) spdlog::warn("{}", why);
  {
    const std::lock_guard lock{mutex_};
    suspicion_ = why;
  }
  if (!why.empty()) replicate_.pause();
  index_.run([&](index::transaction& t) { t.put_meta(index::suspicious_key, why); });
}

// Both sides at once: the source answers while the destination is walked.
source_scan::result migration::scan(const std::stop_token& stop, bool full, bool believe) {
  looked_here_ = false;
  const auto lost = readers_.borrow()->lost_totals().files;
  const auto finished = std::make_shared<std::promise<source_scan::result>>();
  const auto known_disk = readers_.borrow()->meta(file_system_key);
  const auto disk = look_for_file_system(*source_);
  const bool other_disk = disk && known_disk && *known_disk != std::to_string(*disk);
  if (other_disk) spdlog::info("another file system is mounted at the source than before; all of it is listed");
  auto s = std::make_shared<source_scan>(
      source_scan::services{
          *source_, index_, readers_, filter_,
          [this](inode ino, const std::optional<failure>& why) { listed(ino, why); },
          [finished](const source_scan::result& r) { finished->set_value(r); }, where_.times(),
          belief{settings_.believe_loss, readers_.borrow()->meta(empty_key) == "1", believe, other_disk}},
      full || believe || other_disk || filter_changed() || !suspicion().empty());
  {
    const std::lock_guard lock{mutex_};
    running_ = s;
    if (ending_) s->cancel();
  }
  s->start();
  std::optional<failure> problem;
  auto end = finished->get_future().share();
  const auto thrown = contain("scan", [&] {
    // What was decided is about what the source has, and tells to what there the files here belong.
    if (to_replay_ && !end.get().cut_short && end.get().suspicious.empty()) {
      replay_decisions(where_, index_);
      to_replay_ = false;
      marks_.forget();
    }
    if (full) marks_.forget();
    scan_destination(where_, index_, readers_, stop, marks_);
  });
  if (thrown) problem = failure{cause::local_error, "the destination could not be scanned: " + text_of(thrown)};
  looked_here_ = !thrown;
  // What is missing is known while the source is still being listed; a source that was not believed is waited for.
  begin_replication();
  auto result = end.get();
  // A scan that saw nothing, as its root can't be listed, takes no suspicion back.
  const bool saw = !result.cut_short && (result.names > 0 || result.empty);
  if (!result.suspicious.empty() || saw) suspect(result.suspicious);
  if (problem) result.failures.insert(result.failures.begin(), *problem);
  contain("links of the source", [&] { judge_links(where_, index_, readers_, links_); });
  // A directory that can't be read is asked for again by the next scan, which need not be a full one for that.
  if (!problem && !result.cut_short) remember(result);
  if (saw && result.complete()) remember_source(disk, result.empty);
  if (result.failures.empty()) {
    fail_listings({cause::not_found, "the directory left the source"});
  } else {
    for (const auto& f : result.failures)
      if (f.why != cause::cancelled) spdlog::warn("scan: {}", f.text);
    fail_listings(result.failures.front());
  }
  {
    const std::lock_guard lock{mutex_};
    running_.reset();
    last_ = result;
  }
  // Again: a pause that was lifted while the first scan ran is lifted by this.
  begin_replication();
  if (const auto more = readers_.borrow()->lost_totals().files - lost; more > 0)
    spdlog::warn("scan: {} pictures left the source before they were fetched", more);
  replicate_.look_again();
  return result;
}

bool migration::filter_changed() { return readers_.borrow()->meta("scan_filter") != filter_.fingerprint(); }

void migration::remember(const source_scan::result& r) {
  all_listed_ = true;
  index_.run([&](index::transaction& t) {
    t.put_meta("last_scan", now_text());
    t.put_meta("scan_filter", filter_.fingerprint());
  });
  spdlog::info("scan of the source {}: {} directories listed, {} unchanged, {} names",
               r.complete() ? "complete" : "ended", r.directories, r.skipped, r.names);
}

// What the next scan compares with.
void migration::remember_source(const std::optional<std::uint64_t>& disk, bool empty) {
  index_.run([&](index::transaction& t) {
    if (disk) t.put_meta(file_system_key, std::to_string(*disk));
    t.put_meta(empty_key, empty ? "1" : "0");
  });
}

void migration::when_listed(inode directory, told call) {
  std::shared_ptr<source_scan> scan;
  {
    const std::lock_guard lock{mutex_};
    const auto row = readers_.borrow()->by_inode(directory);
    const bool waits = scanning_ && row && !row->listed_mtime;
    if (waits) {
      listing_waiters_[directory].push_back(std::move(call));
      scan = running_;
    }
    if (waits && !scan) return;  // the scan is about to begin
  }
  if (scan) return scan->hurry(directory);
  const auto row = readers_.borrow()->by_inode(directory);
  if (row && row->listed_mtime) return call(std::nullopt);
  const auto health = source_->state();
  if (!health.reachable) return call(failure{cause::unreachable, health.why});
  const auto why = readers_.borrow()->why_unlisted(directory);
  if (why && !why->text.empty()) return call(failure{why->denied ? cause::permission : cause::source_error, why->text});
  call(failure{cause::unreachable, "the directory was never listed"});
}

void migration::listed(inode directory, const std::optional<failure>& why) {
  std::vector<told> calls;
  {
    const std::lock_guard lock{mutex_};
    const auto at = listing_waiters_.find(directory);
    if (at == listing_waiters_.end()) return;
    calls = std::move(at->second);
    listing_waiters_.erase(at);
  }
  for (const auto& call : calls) contain("a listing", [&] { call(why); });
}

// The scan is over: directories that it did not reach are not going to be listed now.
void migration::fail_listings(const failure& why) {
  decltype(listing_waiters_) left;
  {
    const std::lock_guard lock{mutex_};
    scanning_ = false;
    left = std::exchange(listing_waiters_, {});
  }
  for (const auto& [ino, calls] : left)
    for (const auto& call : calls) contain("a listing", [&] { call(why); });
}

void migration::rescan(std::function<void(const source_scan::result&)> call, pass how, bool believe) {
  const std::lock_guard lock{mutex_};
  believe_ |= believe;
  requested_ = true;
  full_requested_ |= how == pass::full;
  requesters_.push_back(std::move(call));
  wake_.notify_all();
}

migration::scanning migration::scan_state() {
  const std::lock_guard lock{mutex_};
  return {running_ != nullptr, running_ ? running_->so_far() : last_};
}

}  // namespace ferryfs::remote
