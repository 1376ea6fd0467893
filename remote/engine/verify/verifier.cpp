#include "remote/engine/verify/verifier.hpp"

#include <sys/stat.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "index/base/exception_barrier.hpp"
#include "index/base/mutex.hpp"
#include "index/base/promise.hpp"
#include "index/base/thread.hpp"
#include "index/query/set.hpp"
#include "remote/engine/verify/picture_check.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t threads = 2;
constexpr std::size_t most_queued = 64;  // pictures, each with its digest asked for on the source

struct running_flag {
  verify_progress& of;
  explicit running_flag(verify_progress& p) : of(p) { of.running = true; }
  ~running_flag() { of.running = false; }
};

// The queue of pictures to be read, and the threads that read them. One thread adds.
class verifier {
 public:
  verifier(const verify_dependencies& d, bool with_source, verify_tally& tally, const std::stop_token& stop)
      : needs_(d), with_source_(with_source), tally_(tally), stop_(stop) {
    for (std::size_t i = 0; i < threads; ++i)
      workers_.emplace_back("verify", [this](const std::stop_token&) { work(); });
  }
  ~verifier() { finish(); }
  verifier(const verifier&) = delete;
  verifier& operator=(const verifier&) = delete;

  // Waits for room. False: to be stopped.
  bool add(const std::string& path, const entry& e, const std::string& source_path) {
    verify_item one{path, e, source_path, {}};
    const bool compares = e.source && S_ISREG(e.source->mode) && (e.state == state::common || is_doubt(e.reason));
    if (with_source_ && compares && !needs_.suspicion.empty()) {
      tally_.add_uncompared(needs_.suspicion);
    } else if (with_source_ && compares) {
      const auto answer = one.source = std::make_shared<promise<source_digest>>();
      needs_.source.digest(source_path, [answer](const std::optional<failure>& why, const std::string& sha256) {
        answer->set_value({why, sha256});
      });
    }
    lock waiting{mutex_};
    room_.wait(waiting, [&]() REQUIRES(mutex_) { return queue_.size() < most_queued; });
    queue_.push_back(std::move(one));
    wake_.notify_one();
    return !stop_.stop_requested();
  }

  // Blocks until all that was added is verified.
  void finish() {
    {
      const lock held{mutex_};
      closed_ = true;
    }
    wake_.notify_all();
    workers_.clear();
  }

 private:
  void work() {
    picture_check check{{needs_.where, needs_.source, needs_.index, needs_.readers, tally_, stop_}};
    while (auto one = next()) {
      if (stop_.stop_requested()) continue;
      if (const auto thrown = contain("verify", [&] { check.run(*one); }))
        contain("verify", [&] { tally_.add_unverified(one->path, text_of(thrown)); });
    }
  }

  // Nothing: all was taken, and no more is added.
  std::optional<verify_item> next() {
    std::optional<verify_item> one;
    {
      lock waiting{mutex_};
      wake_.wait(waiting, [&]() REQUIRES(mutex_) { return !queue_.empty() || closed_; });
      if (queue_.empty()) return std::nullopt;
      one = std::move(queue_.front());
      queue_.pop_front();
    }
    room_.notify_one();
    return one;
  }

  const verify_dependencies needs_;
  const bool with_source_;
  verify_tally& tally_;
  const std::stop_token stop_;
  mutex mutex_{lock_level::leaf};
  condition wake_, room_;
  std::deque<verify_item> queue_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  std::vector<thread> workers_;
};

}  // namespace

verify_result verify_below(const verify_dependencies& d, const std::string& path, verify_how how,
                           const std::function<void(const std::string&)>& line, verify_progress& progress,
                           const std::stop_token& stop) {
  verify_result sum;
  {
    const auto reader = d.readers.borrow();
    const auto all = path.empty() ? reader->totals().destination() : index::total{};
    progress.files = progress.bytes = progress.wrong = 0;
    progress.all_files = static_cast<std::uint64_t>(all.files);
    progress.all_bytes = static_cast<std::uint64_t>(all.local_bytes);
    const running_flag flag{progress};
    verify_tally tally{progress, line};
    verifier v{d, how != verify_how::here, tally, stop};
    index::walk(*reader, index::set::destination, path, [&](const std::string& at, const entry& e) {
      if (!e.local || !S_ISREG(e.local->mode)) return true;
      if (how == verify_how::uncompared && (e.state != state::common || e.is_compared())) {
        ++progress.files, progress.bytes += e.local->size;
        return !stop.stop_requested();
      }
      return v.add(at, e, e.source ? d.readers.borrow()->source_path(e.ino).value_or(at) : "");
    });
    v.finish();
    sum = tally.result();
    sum.known = reader->at(path).has_value();
  }
  sum.complete = !stop.stop_requested();
  d.index.run([](index::transaction&) {});  // what was found is in the index
  return sum;
}

}  // namespace ferryfs::remote
