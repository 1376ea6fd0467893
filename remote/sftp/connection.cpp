#include "remote/sftp/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "index/exception_barrier.hpp"
#include "index/path.hpp"

namespace ferryfs::remote::sftp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t version = 3;
constexpr std::uint32_t longest_read = 255U << 10;  // what OpenSSH's sftp-server answers at most
constexpr std::uint32_t longest_write = 128U << 10;
constexpr std::uint32_t least_length = 1024;           // a server that moves less at a time would never be done
constexpr std::uint64_t least_in_flight = 512U << 10;  // bytes requested
constexpr std::uint64_t most_in_flight = 8U << 20;     // what 50 ms at 160 MB/s hold
constexpr std::size_t least_files = 150;
constexpr std::size_t most_files_unasked = 100;   // where the server does not say how many it can have open
constexpr std::size_t most_files = 900;           // open at once, below the server's 1,024 descriptors
constexpr std::size_t most_files_held_back = 16;  // while a rate limit holds the background back
constexpr std::size_t most_looks = 128;           // tasks in hand beyond which a look is left to others
constexpr std::size_t least_listings = 24;        // and a listing, on a short way
constexpr std::size_t most_listings = 400;        // on a long one, where a listing is two round trips of waiting
constexpr std::size_t inbox_step = 512U << 10;
constexpr auto limit_tick = 10ms;

// What the one throws who is told is his alone.
void lose(task& t, const failure& why) noexcept {
  contain("end of a request", [&] { t.lost(why); });
}

}  // namespace

// What the server allows, asked beside the first tasks; until it answers they keep to what any server does.
class connection::limits_task final : public task {
 public:
  explicit limits_task(connection& c) : connection_(c) { ended_ = true; }  // nobody waits for it, or counts it
  void start(wire& w) override {
    w.begin({shared_from_this(), type::extended, {}, {}}).string("limits@openssh.com").end();
  }
  void reply(wire&, const request&, type got, parser& p) override {
    if (got != type::extended_reply) return;
    connection_.limited(p);
  }
  void lost(const failure&) override {}

 private:
  connection& connection_;
};

connection::connection(const ssh::target& t, ssh::channel stream, const std::atomic<bool>& stop)
    : target_(&t), stop_(stop), stream_(std::move(stream)) {
  try {
    greet();
  } catch (const broken& b) {
    throw failure{cause::protocol, fmt::format("{}: not an SFTP server: {}", where(), b.text)};
  }
}

// INIT, and the root's real path and attributes, together in one round trip: the server answers in order.
void connection::greet() {
  const std::byte init[] = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{5},      std::byte{1},
                            std::byte{0}, std::byte{0}, std::byte{0}, std::byte{version}};
  outbox_.assign(std::begin(init), std::end(init));
  builder{outbox_, type::realpath, 1}.string(target_->path).end();
  builder{outbox_, type::stat, 2}.string(target_->path.empty() ? "." : target_->path).end();
  const auto asked = clock::now();
  send_all();
  {
    const auto packet = receive_one();
    parser p{packet};
    if (static_cast<type>(p.u8()) != type::version) throw broken{"no VERSION in answer to INIT"};
    if (const auto v = p.u32(); v < version) throw broken{fmt::format("version {}; 3 is needed", v)};
    while (!p.empty()) {
      const auto name = p.string();
      p.bytes();
      offered_.limits |= name == "limits@openssh.com";
      offered_.posix_rename |= name == "posix-rename@openssh.com";
      offered_.fsync |= name == "fsync@openssh.com";
    }
  }
  {
    const auto packet = receive_one();
    parser p{packet};
    const auto got = static_cast<type>(p.u8());
    p.u32();
    if (got == type::status) throw status_failure(*this, target_->path, p);
    if (got != type::name || p.u32() != 1) throw broken{"no name in answer to REALPATH"};
    root_ = p.string();
    heard_after(clock::now() - asked);
    in_flight_limit_ = std::max(least_in_flight, most_in_flight_ * 3 / 8);  // until it is known what the link takes
    if (!root_.starts_with('/') || root_.find('\0') != std::string::npos) throw broken{"a root that is no path"};
    if (root_ == "/") root_.clear();
  }
  {
    const auto packet = receive_one();
    parser p{packet};
    const auto got = static_cast<type>(p.u8());
    p.u32();
    if (got == type::attrs) root_attributes_ = p.attrs();
  }
  server_files_ = most_files_unasked;
  if (offered_.limits) std::make_shared<limits_task>(*this)->start(*this);
}

void connection::limited(parser& p) {
  std::uint64_t read = 0, write = 0, handles = 0;
  try {
    p.u64();
    read = p.u64(), write = p.u64(), handles = p.u64();
  } catch (const broken&) {  // then it has not said what it allows
  }
  for (const auto& [length, what] : {std::pair{read, "READ"}, {write, "WRITE"}})
    if (length != 0 && length < least_length)
      throw broken{fmt::format("it allows {} bytes a {}; less than {} are of no use", length, what, least_length)};
  if (read != 0) read_length_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(read, longest_read));
  if (write != 0) write_length_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(write, longest_write));
  const std::size_t most = handles == 0 ? most_files : static_cast<std::size_t>(std::min<std::uint64_t>(handles, 1000));
  server_files_ = std::clamp<std::size_t>(most * 9 / 10, 1, most_files);
}

// The shortest answer shows the round trip. What is requested is what the link holds, and no more: the rest would only
// wait in the server, whose sshd copies all that it has not sent yet whenever that grows, and keep a reader waiting.
void connection::heard_after(clock::duration waited) {
  if (waited >= round_trip_) return;
  round_trip_ = waited;
  const auto part = std::min(1.0, std::chrono::duration<double>(round_trip_) / std::chrono::duration<double>(50ms));
  most_in_flight_ = least_in_flight + static_cast<std::uint64_t>(part * (most_in_flight - least_in_flight));
  in_flight_limit_ = std::min(in_flight_limit_, most_in_flight_);
  most_listings_ = least_listings + static_cast<std::size_t>(part * (most_listings - least_listings));
  most_files_ = least_files + static_cast<std::size_t>(part * (most_files - least_files));
}

// A READ that took long waited behind others on a full link, where fewer would do and a reader's would come sooner.
// Judged once for each time that all that is in flight has been answered.
void connection::adapt(const request& r) {
  const auto now = clock::now();
  heard_after(now - r.asked);
  if (r.sent != type::read || r.asked < adapted_) return;
  adapted_ = now;
  if (now - r.asked > 4 * round_trip_ + 100ms)
    in_flight_limit_ = std::max(least_in_flight, in_flight_limit_ * 3 / 4);
  else if (r.ahead > in_flight_limit_ / 2)
    in_flight_limit_ = std::min(most_in_flight_, in_flight_limit_ * 2);
}

void connection::send_all() {
  const auto deadline = clock::now() + target_->io_timeout;
  while (!flush()) {
    if (clock::now() > deadline)
      throw failure{cause::timeout, fmt::format("{}: no answer to SFTP's greeting", where())};
    give_way();
  }
}

void connection::give_way() {
  if (stop_) throw failure{cause::cancelled, "ferryfs is ending"};
  stream_.wait(-1, 100ms);
}

// One whole packet, without its length field.
std::vector<std::byte> connection::receive_one() {
  const auto deadline = clock::now() + target_->io_timeout;
  std::vector<std::byte> got;
  std::size_t have = 0, need = 4;
  got.resize(need);
  while (have < need) {
    const std::size_t n = stream_.read(std::span(got).subspan(have, need - have));
    have += n;
    if (n == 0) {
      if (clock::now() > deadline)
        throw failure{cause::timeout, fmt::format("{}: no answer to SFTP's greeting", where())};
      give_way();
    }
    if (have == 4 && need == 4) {
      const std::uint32_t length = parser{got}.u32();
      if (length == 0 || length > longest_packet) throw broken{fmt::format("a packet of {} bytes", length)};
      need += length;
      got.resize(need);
    }
  }
  got.erase(got.begin(), got.begin() + 4);
  return got;
}

std::string connection::absolute(const std::string& path) const {
  if (path.empty()) return root_.empty() ? "/" : root_;
  return root_ + '/' + path;
}

builder connection::begin(request r) {
  const std::uint32_t id = next_id_++;
  const type t = r.sent;
  r.asked = clock::now();
  r.ahead = in_flight_;
  if (pending_.empty()) heard_ = r.asked;
  in_flight_ += r.part.length;
  pending_.emplace(id, std::move(r));
  return builder{outbox_, t, id};
}

// OpenSSH numbers handles from 0 and gives the one that was freed last (sftp-server.c, handle_new). While others are
// open that is nothing to rely on; and it alone offers its limits.
std::optional<std::string> connection::next_handle() const {
  return offered_.limits && tasks_ == 1 ? std::optional(closed_) : std::nullopt;
}

void connection::close(std::shared_ptr<task> owner, const std::string& handle) {
  closed_ = handle;
  wire::close(std::move(owner), handle);
}

void connection::serve(queue& from, waker& wake, bool takes_background) {
  failure why;
  try {
    return run(from, wake, takes_background);
  } catch (const broken& b) {
    why = {cause::protocol, fmt::format("{}: the server breaks the SFTP protocol: {}", where(), b.text)};
  } catch (const failure& f) {
    why = f;
  } catch (...) {
    why = {cause::unreachable, fmt::format("{}: {}", where(), text_of(std::current_exception()))};
  }
  blame_oldest(why);
  // The others only lost their connection.
  end_all(why.why == cause::protocol ? failure{cause::unreachable, why.text} : why);
  throw failure{why};
}

void connection::run(queue& from, waker& wake, bool takes_background) {
  while (!from.stopped()) {
    bool moved = take(from, takes_background);
    moved = request_more() || moved;
    // A read that stopped in the middle of opening the window goes on before anything else is sent.
    const bool all_sent = !stream_.read_pending() && flush();
    // While a write is unfinished libssh2 takes no other call: the server reads on, so it ends.
    if (!stream_.write_pending()) moved = receive() || moved;
    check_deadline();
    if (moved) continue;
    const auto idle_ping = target_->io_timeout / 2;
    if (pending_.empty() && clock::now() - heard_ > idle_ping) {
      ++tasks_;
      std::make_shared<stat_task>("", [](const auto&, const auto&) {})->start(*this);
    } else {
      const std::chrono::milliseconds quiet = pending_.empty() ? idle_ping + 10ms : 500ms;
      wake.fall_asleep();
      if (!has_work(from, takes_background) && !from.stopped())
        stream_.wait(wake.fd(), held_back_ ? limit_tick : all_sent ? quiet : 100ms);
      wake.wake_up();
    }
  }
  end_all({cause::cancelled, "ferryfs is ending"});
}

bool connection::has_room() const {
  const std::size_t most = held_back_ ? std::min(files_limit(), most_files_held_back) : files_limit();
  return tasks_ < most && in_flight_ < in_flight_limit_ && outbox_.size() - sent_ < (64U << 10);
}

std::shared_ptr<task> connection::next(queue& from, bool takes_background) const {
  if (tasks_ < most_tasks())
    if (auto t = from.take(queue::line::demand)) return t;
  if (tasks_ < most_looks)
    if (auto t = from.take(queue::line::look)) return t;
  // A few listings at a time, so that the other connections get their share.
  if (tasks_ < listings_limit())
    if (auto t = from.take(queue::line::listing)) return t;
  return takes_background && has_room() ? from.take(queue::line::background) : nullptr;
}

bool connection::has_work(queue& from, bool takes_background) const {
  return (tasks_ < most_tasks() && from.has(queue::line::demand)) ||
         (tasks_ < most_looks && from.has(queue::line::look)) ||
         (tasks_ < listings_limit() && from.has(queue::line::listing)) ||
         (takes_background && has_room() && from.has(queue::line::background));
}

bool connection::take(queue& from, bool takes_background) {
  bool took = false;
  while (auto t = next(from, takes_background)) {
    ++tasks_;
    took = true;
    if (const auto thrown = contain("request", [&] { t->start(*this); })) lose(*t, failure_of(thrown, where()));
    if (t->ended()) --tasks_;
  }
  return took;
}

bool connection::request_more() {
  bool requested = false;
  held_back_ = false;
  // A reader may have come for a file that was taken for the background.
  for (auto at = open_.begin(); at != open_.end();) {
    const auto here = at++;
    if ((*here)->urgent()) open_.splice(open_.begin(), open_, here);
  }
  for (auto at = open_.begin(); at != open_.end() && in_flight_ < in_flight_limit_ && outbox_has_room();) {
    const bool was_ended = (*at)->ended();
    auto wish = reading::wish::enough;
    if (const auto thrown = contain("request", [&] { wish = (*at)->request_more(*this); }))
      lose(**at, failure_of(thrown, where()));
    if (!was_ended && (*at)->ended()) --tasks_, wish = reading::wish::enough;
    requested = requested || wish != reading::wish::later;
    held_back_ = held_back_ || wish == reading::wish::later;
    if (wish == reading::wish::enough)
      at = open_.erase(at);
    else if (wish == reading::wish::later)
      ++at;
  }
  return requested;
}

bool connection::flush() {
  while (sent_ < outbox_.size()) {
    const std::size_t n = stream_.write(std::span(outbox_).subspan(sent_));
    if (n == 0) break;
    sent_ += n;
  }
  if (sent_ < outbox_.size()) {
    // What was sent goes now and then: while files are written it is never empty.
    if (sent_ > most_unsent) {
      outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(sent_));
      sent_ = 0;
    }
    return false;
  }
  outbox_.clear();
  sent_ = 0;
  return true;
}

bool connection::receive() {
  constexpr std::size_t most_at_once = 4U << 20;  // then new tasks get their turn
  std::size_t total = 0;
  while (total < most_at_once) {
    if (inbox_.size() < held_ + inbox_step) inbox_.resize(held_ + inbox_step);
    const std::size_t n = stream_.read(std::span(inbox_).subspan(held_));
    if (n == 0) break;
    total += n;
    held_ += n;
    heard_ = clock::now();
    std::size_t at = 0;
    while (held_ - at >= 4) {
      const std::uint32_t length = parser{std::span(inbox_).subspan(at, 4)}.u32();
      if (length < 5 || length > longest_packet) throw broken{fmt::format("a packet of {} bytes", length)};
      if (held_ - at - 4 < length) break;
      dispatch(std::span(inbox_).subspan(at + 4, length));
      at += 4 + length;
    }
    std::memmove(inbox_.data(), inbox_.data() + at, held_ - at);
    held_ -= at;
  }
  return total > 0;
}

void connection::dispatch(std::span<const std::byte> packet) {
  parser p{packet};
  const auto got = static_cast<type>(p.u8());
  const std::uint32_t id = p.u32();
  const auto at = pending_.find(id);
  if (at == pending_.end()) throw broken{fmt::format("an answer to request {}, which was never sent", id)};
  const request r = std::move(at->second);
  pending_.erase(at);
  adapt(r);
  in_flight_ -= r.part.length;
  const bool was_ended = r.owner->ended();
  try {
    r.owner->reply(*this, r, got, p);
  } catch (const broken& b) {
    // It is out of the table already: nobody else would end it.
    r.owner->lost({cause::protocol, fmt::format("{}: the server breaks the SFTP protocol: {}", where(), b.text)});
    culprit_told_ = true;
    throw;
  } catch (...) {
    // Of the task, or of whoever is told: it alone ends.
    log_once(where() + ": " + text_of(std::current_exception()));
    std::erase_if(open_, [&](const auto& file) { return file == r.owner; });
    lose(*r.owner, failure_of(std::current_exception(), where()));
  }
  if (!was_ended && r.owner->ended()) --tasks_;
  if (r.sent == type::open && !r.owner->ended()) {
    auto file = std::static_pointer_cast<transfer>(r.owner);
    file->urgent() ? open_.push_front(std::move(file)) : open_.push_back(std::move(file));
  }
}

void connection::check_deadline() {
  if (!pending_.empty() && clock::now() - heard_ > target_->io_timeout)
    throw failure{cause::timeout, fmt::format("{}: no answer within {} s", where(), target_->io_timeout.count())};
}

// The server answers in order: what it broke off at is the oldest request, unless a wrong answer was known by its
// number.
void connection::blame_oldest(failure why) {
  if (culprit_told_) return;
  const task* oldest = nullptr;
  std::uint32_t oldest_id = 0;
  for (const auto& [id, r] : pending_)
    if (!r.owner->ended() && (oldest == nullptr || id < oldest_id)) oldest = r.owner.get(), oldest_id = id;
  if (oldest == nullptr) return;
  why.suspect = true;
  const auto owner = pending_.at(oldest_id).owner;
  lose(*owner, why);
}

void connection::end_all(const failure& why) {
  const auto open = std::move(open_);
  const auto pending = std::move(pending_);
  open_.clear();
  pending_.clear();
  for (const auto& file : open) lose(*file, why);
  for (const auto& [id, r] : pending) lose(*r.owner, why);
}

}  // namespace ferryfs::remote::sftp
