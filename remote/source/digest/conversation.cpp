#include "remote/source/digest/conversation.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <utility>

#include "index/base/clock.hpp"
#include "remote/source/digest/source_shell.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_outstanding = 256;   // questions without an answer
constexpr std::size_t longest_line = 4U << 10;  // of an answer
constexpr std::size_t most_noise = 64U << 10;   // before the shell is ready
constexpr auto idle_time = 15s;                 // until the connection is closed

}  // namespace

source_digests::conversation::conversation(source_digests& owner)
    : owner_(owner), stream_(owner.target_, owner.stop_), outbox_(shell_greeting()), last_activity_(steady_now()) {
  stream_.start(std::string(shell_command));
}

void source_digests::conversation::serve() {
  try {
    converse();
  } catch (const failure&) {
    if (!ready_ && stream_.at_end()) throw inability{"no shell with a sha256sum answers"};
    throw;
  }
}

void source_digests::conversation::converse() {
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

bool source_digests::conversation::send_questions() {
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

bool source_digests::conversation::flush() {
  while (!outbox_.empty()) {
    const std::size_t n = stream_.write(std::as_bytes(std::span(outbox_)));
    if (n == 0) return false;
    outbox_.erase(0, n);
  }
  return true;
}

bool source_digests::conversation::receive() {
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

void source_digests::conversation::accept_line(std::string_view line) {
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
  answer->sha256.empty() ? owner_.read_back(q) : q.answer(std::nullopt, answer->sha256);
}

}  // namespace ferryfs::remote
