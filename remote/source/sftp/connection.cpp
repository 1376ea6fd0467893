#include "remote/source/sftp/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/sftp/read_task.hpp"

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

bool opens(type t) { return t == type::open || t == type::opendir; }

// What the one throws who is told is his alone.
void lose(task& t, const failure& why) noexcept {
  contain("end of a request", [&] { t.lost(why); });
}

bool is_of_password(const std::string& text) {
  return text.find("assword") != std::string::npos &&
         (text.find("xpired") != std::string::npos || text.find("change") != std::string::npos);
}

// What stands where a packet should begin: its length, or text that a shell prints before the server speaks.
std::string says(std::span<const std::byte> from, std::uint32_t length) {
  std::string text;
  for (const std::byte b : from.first(std::min<std::size_t>(from.size(), 200))) {
    const auto c = static_cast<char>(b);
    if (c != '\n' && c != '\r' && c != '\t' && c != '\x1b' && (c < ' ' || c > '~')) break;
    text += c;
  }
  // As little as an empty line stands out before a short packet's length, which begins with zero bytes.
  const bool is_before_packet = from.size() > text.size() + 1 && from[text.size()] == std::byte{0} &&
                                from[text.size() + 1] == std::byte{0} && !text.empty();
  if (text.size() < 4 && !is_before_packet) return fmt::format("a packet of {} bytes", length);
  if (const auto end = text.find_first_of("\r\n"); end != std::string::npos && end > 0) text.resize(end);
  if (text.find_first_not_of("\r\n\t ") == std::string::npos) text = "an empty line";
  if (is_of_password(text))
    return fmt::format("it says '{}': the account's password has expired, or must be changed; log in once by hand",
                       printable(text));
  return fmt::format(
      "it sends the text '{}' first; a shell's start-up file (.bashrc, .profile, /etc/bash.bashrc) must print "
      "nothing where no terminal is, and the account's shell must be one",
      printable(text));
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
  } catch (const failure& f) {
    if (f.why != cause::unreachable) throw;
    const std::string text = stream_.complaint();
    // PAM says that a password has expired before the login, where libssh2 1.10 hears nothing.
    if (text.empty() && stream_.at_end())
      throw failure{f.why,
                    fmt::format("{}: the server lets us in and ends at once, without a word of SFTP; the account's "
                                "password may have expired, or its shell end by itself: log in once by hand",
                                where())};
    if (text.empty()) throw;
    if (is_of_password(text))
      throw failure{cause::refused,
                    fmt::format("{}: the account's password has expired, or must be changed; log in once by "
                                "hand (the server says: {})",
                                where(), text)};
    throw failure{f.why, fmt::format("{} (it says: {})", f.text, text)};
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
      offered_.statvfs |= name == "statvfs@openssh.com";
    }
  }
  auto first = receive_one(), second = receive_one();
  if (first.size() < 5 || second.size() < 5) throw broken{"an answer without a number"};
  if (parser{std::span(first).subspan(1)}.u32() == 2) std::swap(first, second);  // it may answer in any order
  {
    parser p{first};
    const auto got = static_cast<type>(p.u8());
    p.u32();
    if (got == type::status && code_of(p) != status::unsupported) throw status_failure(*this, target_->path, p);
    if (got != type::status && (got != type::name || p.u32() != 1)) throw broken{"no name in answer to REALPATH"};
    // Opaque: it may look like "C:/x" or ".".
    root_ = got == type::name ? std::string{p.string()} : target_->path.empty() ? "." : target_->path;
    heard_after(clock::now() - asked);
    in_flight_limit_ = std::max(least_in_flight, most_in_flight_ * 3 / 8);  // until it is known what the link takes
    if (root_.empty() || root_.find('\0') != std::string::npos) throw broken{"a root that is no path"};
  }
  {
    parser p{second};
    const auto got = static_cast<type>(p.u8());
    p.u32();
    if (got == type::attrs) root_attributes_ = p.attrs();
    if (root_attributes_ && !root_attributes_->has_kind()) root_attributes_.reset();
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
      if (length == 0 || length > longest_packet) {
        got.resize(200);
        got.resize(4 + stream_.read(std::span(got).subspan(4)));
        throw broken{says(got, length)};
      }
      need += length;
      got.resize(need);
    }
  }
  got.erase(got.begin(), got.begin() + 4);
  return got;
}

std::string connection::absolute(const std::string& path) const {
  if (path.empty()) return root_;
  return root_.ends_with('/') ? root_ + path : root_ + '/' + path;
}

builder connection::begin(request r) {
  const std::uint32_t id = next_id_++;
  const type t = r.sent;
  r.asked = clock::now();
  r.ahead = in_flight_;
  if (pending_.empty()) heard_ = r.asked;
  if (opens(t)) ++opening_;
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
  if (const auto at = handles_.find(handle); at != handles_.end()) {
    --held_by(at->second).now;
    handles_.erase(at);
  }
  wire::close(std::move(owner), handle);
}

void connection::serve(queue& from, waker& wake, bool takes_background, std::size_t number) {
  from_ = &from;
  number_ = number;
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
    if (leaves(from)) return;
    bool moved = open_again();
    const bool all = takes_background || from.leaves_one();
    moved = take(from, all) || moved;
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
      if (!has_work(from, all) && !from.stopped())
        stream_.wait(wake.fd(), held_back_ ? limit_tick : all_sent ? quiet : 100ms);
      wake.wake_up();
    }
  }
  end_all({cause::cancelled, "ferryfs is ending"});
}

// What takes long is asked for again, over another connection.
bool connection::leaves(const queue& from) {
  if (!from.is_lent(number_)) return false;
  if (tasks_ == 0) return true;
  if (from.lent_for() < 5s) return false;
  culprit_told_ = true;  // none is
  throw failure{cause::unreachable, where() + ": the connection is given up for that of the digests"};
}

bool connection::has_room() const {
  const std::size_t most = held_back_ ? std::min(files_limit(), most_files_held_back) : files_limit();
  return tasks_ < most && in_flight_ < in_flight_limit_ && outbox_.size() - sent_ < (64U << 10);
}

// What the server refused to open is opened before anything else, as soon as there are fewer.
bool connection::open_again() {
  bool moved = false;
  while (!refused_.empty() && opening_ + held_open_ < most_open(refused_.front())) {
    const request r = std::move(refused_.front());
    refused_.pop_front();
    moved = true;
    if (r.owner->counted().ended()) continue;
    if (const auto thrown = contain("request", [&] { r.owner->again(*this, r); }))
      end(r.owner, failure_of(thrown, where()));
  }
  return moved;
}

std::size_t connection::most_open(const request& again) const {
  return std::max<std::size_t>(again.refusals == 1 ? most_open_ : most_open_ / 2, 1);
}

void connection::holds(type what, parser p) {
  ++held_open_;
  std::string handle;
  try {
    handle = p.string();
  } catch (const broken&) {
    return;  // which the task finds as well
  }
  if (!handles_.emplace(handle, what).second) return;
  held& h = held_by(what);
  h.most = std::max(h.most, ++h.now);
}

// A server says no more than FAILURE where it has too many files open. If it has had far more such open before, or
// refuses again and again where fewer are open, that is of the file. Takes the request where it is to be sent again.
bool connection::is_for_their_number(request& r, parser p) {
  constexpr unsigned most_refusals = 3;
  if (code_of(p) != status::failure || !r.owner->may_be_for_others(r)) return false;
  if (held_open_ == 0 || held_open_ < held_by(r.sent).most / 2 || ++r.refusals > most_refusals) {
    if (r.refusals > 0) most_open_ = SIZE_MAX;  // it said nothing of their number
    return false;
  }
  most_open_ = std::min(most_open_, held_open_);
  log_once(
      fmt::format("{}: the server has {} files open and refuses more; it is not asked for more", where(), most_open_));
  const auto* file = dynamic_cast<const transfer*>(r.owner.get());
  file != nullptr && file->urgent() ? refused_.push_front(std::move(r)) : refused_.push_back(std::move(r));
  return true;
}

std::shared_ptr<task> connection::next(queue& from, bool takes_background) const {
  if (alone_ || from.is_lent(number_)) return nullptr;
  if (tasks_ < most_tasks() && may_open())
    if (auto t = from.take(queue::line::demand)) return t;
  if (tasks_ < most_looks)
    if (auto t = from.take(queue::line::look)) return t;
  // A few listings at a time, so that the other connections get their share.
  if (tasks_ < listings_limit() && may_open())
    if (auto t = from.take(queue::line::listing)) return t;
  if (takes_background && has_room() && may_open())
    if (auto t = from.take(queue::line::background)) return t;
  return takes_background && tasks_ == 0 && may_open() ? from.take(queue::line::alone) : nullptr;
}

bool connection::has_work(queue& from, bool takes_background) const {
  if (!refused_.empty() && opening_ + held_open_ < most_open(refused_.front())) return true;
  if (alone_ || from.is_lent(number_)) return from.is_lent(number_) && tasks_ == 0;
  return (tasks_ < most_tasks() && may_open() && from.has(queue::line::demand)) ||
         (tasks_ < most_looks && from.has(queue::line::look)) ||
         (tasks_ < listings_limit() && may_open() && from.has(queue::line::listing)) ||
         (takes_background && has_room() && may_open() && from.has(queue::line::background)) ||
         (takes_background && tasks_ == 0 && may_open() && from.has(queue::line::alone));
}

bool connection::take(queue& from, bool takes_background) {
  bool took = false;
  while (auto t = next(from, takes_background)) {
    ++tasks_;
    took = true;
    alone_ = from.is_shunned(*t);
    if (const auto thrown = contain("request", [&] { t->start(*this); })) lose(*t, failure_of(thrown, where()));
    if (t->ended()) --tasks_, alone_ = false;
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
    if (!was_ended && (*at)->ended()) --tasks_, alone_ = false, wish = reading::wish::enough;
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
    if (from_ != nullptr) from_->heard(number_, heard_);
    std::size_t at = 0;
    while (held_ - at >= 4) {
      const std::uint32_t length = parser{std::span(inbox_).subspan(at, 4)}.u32();
      if (length < 5 || length > longest_packet) throw broken{says(std::span(inbox_).subspan(at, held_ - at), length)};
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
  request r = std::move(at->second);
  pending_.erase(at);
  last_answered_ = std::max(last_answered_, id);
  adapt(r);
  in_flight_ -= r.part.length;
  if (r.sent == type::close && held_open_ > 0) --held_open_;
  if (opens(r.sent)) {
    --opening_;
    if (got == type::handle) holds(r.sent, p);
    if (got == type::status && !r.owner->counted().ended() && is_for_their_number(r, p)) return;
  }
  const bool was_ended = r.owner->counted().ended();
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
  if (!was_ended && r.owner->counted().ended()) {
    --tasks_;
    if (std::exchange(alone_, false)) forgive(*r.owner);
  }
  if (r.sent == type::open && !r.owner->ended()) {
    auto file = std::dynamic_pointer_cast<transfer>(r.owner);
    if (file) file->urgent() ? open_.push_front(std::move(file)) : open_.push_back(std::move(file));
  }
}

// Where the others hear from the server while this one does not, it is not the line: the server is stuck with what was
// asked of it here.
void connection::check_deadline() {
  if (pending_.empty()) return;
  check_overtaken();
  if (clock::now() - heard_ <= target_->io_timeout) return;
  silent_alone_ = from_ != nullptr && from_->others_heard(number_) - heard_ > target_->io_timeout / 3;
  throw failure{cause::timeout, fmt::format("{}: no answer within {} s", where(), target_->io_timeout.count())};
}

// A server that answers in any order may go on with the rest while it is stuck with one request, which ends alone.
void connection::check_overtaken() {
  const auto now = clock::now();
  if (now - looked_for_overtaken_ < 1s) return;
  looked_for_overtaken_ = now;
  std::vector<std::shared_ptr<task>> stuck;
  for (const auto& [id, r] : pending_)
    if (id < last_answered_ && now - r.asked > target_->io_timeout && !r.owner->counted().ended())
      stuck.push_back(r.owner);
  // Their handles stay open there, which a server with few does not have.
  if (!stuck.empty() && most_open_ != SIZE_MAX) {
    silent_alone_ = true;
    throw failure{cause::timeout, fmt::format("{}: no answer within {} s", where(), target_->io_timeout.count())};
  }
  for (const auto& t : stuck) {
    shun(*t);
    end(t,
        {cause::source_error, fmt::format("{}: the server gave no answer within {} s to a request that others overtook",
                                          where(), target_->io_timeout.count())});
  }
}

// Ends one task, while the connection goes on. What comes for it is for nobody.
void connection::end(const std::shared_ptr<task>& t, const failure& why) {
  const bool was_ended = t->counted().ended();
  std::erase_if(open_, [&](const auto& file) { return file == t; });
  lose(*t, why);
  if (!was_ended && t->counted().ended()) --tasks_, alone_ = false;
}

void connection::shun(const task& t) {
  if (const auto* file = dynamic_cast<const read_task*>(&t)) from_->shun(file->to()->path());
}

void connection::forgive(const task& t) {
  if (const auto* file = dynamic_cast<const read_task*>(&t)) from_->forgive(file->to()->path());
}

// The server answers in order: what it broke off at is the oldest request, unless a wrong answer was known by its
// number. Where it fell silent over that alone, the request is what it is stuck with.
void connection::blame_oldest(failure why) {
  if (culprit_told_) return;
  const task* oldest = nullptr;
  std::uint32_t oldest_id = 0;
  for (const auto& [id, r] : pending_)
    if (!r.owner->counted().ended() && (oldest == nullptr || id < oldest_id)) oldest = r.owner.get(), oldest_id = id;
  if (oldest == nullptr) return;
  why.suspect = true;
  const auto owner = pending_.at(oldest_id).owner;
  if (silent_alone_) {
    shun(*owner);
    why = {cause::source_error,
           fmt::format("{}, which had been asked for this; other connections were answered meanwhile", why.text)};
  }
  lose(*owner, why);
}

void connection::end_all(const failure& why) {
  const auto open = std::move(open_);
  const auto pending = std::move(pending_);
  const auto refused = std::move(refused_);
  open_.clear();
  pending_.clear();
  refused_.clear();
  for (const auto& file : open) lose(*file, why);
  for (const auto& [id, r] : pending) lose(*r.owner, why);
  for (const auto& r : refused) lose(*r.owner, why);
}

}  // namespace ferryfs::remote::sftp
