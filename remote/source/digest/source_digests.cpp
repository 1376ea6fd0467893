#include "remote/source/digest/source_digests.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <vector>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/digest/read_back.hpp"
#include "remote/source/digest/source_shell.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_outstanding = 256;   // questions without an answer
constexpr std::size_t longest_line = 4U << 10;  // of an answer
constexpr std::size_t most_noise = 64U << 10;   // before the shell is ready
constexpr auto idle_time = 15s;                 // until the connection is closed
constexpr auto pause_after_refusal = 60s;       // until a connection is tried again

// The server does not do what is asked, and will not later.
struct inability : std::exception {
  explicit inability(std::string says) : why(std::move(says)) {}
  const char* what() const noexcept override { return why.c_str(); }

  std::string why;
};

void answer_to(const archive::digest_callback& done, const std::optional<failure>& why,
               const std::string& sha256) noexcept {
  contain("answer to a digest", [&] { done(why, sha256); });
}

}  // namespace

// One connection with a shell behind it.
class source_digests::conversation {
 public:
  conversation(source_digests& owner) : owner_(owner), stream_(owner.target_, owner.stop_), outbox_(shell_greeting()) {
    stream_.start(std::string(shell_command));
  }

  // Returns when there was no request for a while or it is to stop. Throws failure or inability.
  void serve() {
    try {
      converse();
    } catch (const failure&) {
      if (!ready_ && stream_.at_end()) throw inability{"no shell with a sha256sum answers"};
      throw;
    }
  }

  std::deque<question> take_outstanding() { return std::move(outstanding_); }

 private:
  void converse() {
    while (!owner_.stop_) {
      bool moved = send_questions();
      const bool all_sent = !stream_.read_pending() && flush();
      if (!stream_.write_pending()) moved = receive() || moved;
      const auto silence = steady_now() - last_activity_;
      if (is_owed() && silence > owner_.target_.io_timeout)
        throw failure{cause::timeout, fmt::format("{}: no digest within {} s", owner_.target_.where(),
                                                  owner_.target_.io_timeout.count())};
      if (!is_owed() && silence > idle_time) return;
      if (moved) continue;
      owner_.notifier_.fall_asleep();
      if (!(outstanding_.size() < most_outstanding && owner_.has_work()) && !owner_.stop_)
        stream_.wait(owner_.notifier_.fd(), all_sent ? 500ms : 100ms);
      owner_.notifier_.wake_up();
    }
  }

  bool is_owed() const { return !ready_ || !outstanding_.empty(); }

  bool send_questions() {
    bool sent = false;
    question q;
    while (outstanding_.size() < most_outstanding && owner_.take(q)) {
      if (outstanding_.empty()) last_activity_ = steady_now();
      outbox_ += shell_question(next_ + outstanding_.size(), q.absolute);
      outstanding_.push_back(std::move(q));
      sent = true;
    }
    return sent;
  }

  bool flush() {
    while (!outbox_.empty()) {
      const std::size_t n = stream_.write(std::as_bytes(std::span(outbox_)));
      if (n == 0) return false;
      outbox_.erase(0, n);
    }
    return true;
  }

  bool receive() {
    std::array<char, 8192> buffer;
    const std::size_t n = stream_.read(std::as_writable_bytes(std::span(buffer)));
    for (std::size_t i = 0; i < n; ++i) {
      if (buffer[i] != '\n') {
        line_ += buffer[i];
      } else {
        accept_line(line_);
        line_.clear();
      }
    }
    if (line_.size() > longest_line) throw inability{"it prints a line without end"};
    return n > 0;
  }

  void accept_line(std::string_view line) {
    last_activity_ = steady_now();
    if (!ready_) {
      noise_ += line.size() + 1;
      ready_ = line.substr(0, line.find("  ")).starts_with(shell_ready);
      if (!ready_ && noise_ > most_noise) throw inability{"no shell with a sha256sum answers"};
      return;
    }
    const auto answer = parse_shell_answer(line);
    if (!answer || outstanding_.empty() || answer->number != next_)
      throw inability{"it prints something else than digests"};
    const question q = std::move(outstanding_.front());
    outstanding_.pop_front();
    ++next_;
    answer->sha256.empty() ? owner_.read_back(q) : answer_to(q.done, std::nullopt, answer->sha256);
  }

  source_digests& owner_;
  ssh::channel stream_;
  std::string outbox_, line_;
  bool ready_ = false;
  std::size_t noise_ = 0;
  std::uint64_t next_ = 0;  // number of the oldest question without an answer
  std::deque<question> outstanding_;
  clock::time_point last_activity_ = steady_now();
};

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
    answer_to(q.done, failure_of(thrown, printable(q.path)), {});
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
  while (take(q)) answer_to(q.done, failure{cause::cancelled, "ferryfs is ending"}, {});
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
