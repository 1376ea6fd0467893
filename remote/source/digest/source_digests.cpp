#include "remote/source/digest/source_digests.hpp"

#include <spdlog/spdlog.h>

#include <iterator>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/digest/conversation.hpp"
#include "remote/source/digest/read_back.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_after_refusal = 60s;  // until a connection is tried again

}  // namespace

void source_digests::question::answer(const std::optional<failure>& why, const std::string& sha256) const noexcept {
  contain("answer to a digest", [&] { done(why, sha256); });
}

void source_digests::request(std::string path, std::string absolute, archive::digest_callback done) {
  {
    const lock held{mutex_};
    if (!stop_) {
      queue_.push_back({std::move(path), std::move(absolute), std::move(done)});
      if (!thread_.joinable()) thread_ = thread{"digests", [this](const std::stop_token&) { run(); }};
      wake_.notify_one();
      notifier_.notify();
      return;
    }
  }
  done(failure{cause::cancelled, "ferryfs is ending"}, {});
}

bool source_digests::take(question& q) {
  const lock held{mutex_};
  if (queue_.empty()) return false;
  q = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

bool source_digests::has_work() {
  const lock held{mutex_};
  return !queue_.empty();
}

void source_digests::read_back(const question& q) noexcept {
  if (const auto thrown = contain("digest", [&] { digest_by_reading(source_, q.path, q.done); }))
    q.answer(failure_of(thrown, printable(q.path)), {});
}

void source_digests::run() {
  question q;
  while (true) {
    {
      lock held{mutex_};
      wake_.wait(held, [&]() REQUIRES(mutex_) { return stop_ || !queue_.empty(); });
    }
    if (stop_) break;
    if (!is_unable_ && steady_now() >= not_before_)
      serve();
    else if (take(q))
      read_back(q);
  }
  while (take(q)) q.answer(failure{cause::cancelled, "ferryfs is ending"}, {});
}

// The digests that were asked for when a shell ended are asked for again, but the oldest: the server may have died of
// it, or take too long over it without a word.
void source_digests::serve() {
  std::deque<question> unanswered;
  slot_.acquire();
  const std::unique_ptr<const connection_slot, void (*)(const connection_slot*)> end{
      &slot_, [](const connection_slot* s) { s->release(); }};
  try {
    conversation with{*this};
    try {
      with.serve();
    } catch (...) {
      unanswered = with.take_outstanding();
      throw;
    }
    unanswered = with.take_outstanding();
  } catch (const inability& u) {
    is_unable_ = true;
    spdlog::info("{}: {}; digests are made by reading the files back", target_.where(), u.why);
  } catch (const ssh::no_commands& f) {
    is_unable_ = true;
    spdlog::info("{}; digests are made by reading the files back", f.text);
  } catch (const failure& f) {
    if (unanswered.empty()) not_before_ = steady_now() + pause_after_refusal;
    spdlog::info("{}; digests are made by reading the files back", f.text);
  } catch (...) {
    not_before_ = steady_now() + pause_after_refusal;
    log_once(target_.where() + ": digests: " + text_of(std::current_exception()));
  }
  if (!unanswered.empty() && !stop_) {
    read_back(unanswered.front());
    unanswered.pop_front();
  }
  const lock held{mutex_};
  queue_.insert(queue_.begin(), std::make_move_iterator(unanswered.begin()), std::make_move_iterator(unanswered.end()));
}

void source_digests::stop() {
  thread ending;
  {
    const lock held{mutex_};
    stop_ = true;
    wake_.notify_all();
    ending = std::move(thread_);
  }
  notifier_.notify();
  if (ending.joinable()) ending.join();
}

}  // namespace ferryfs::remote
