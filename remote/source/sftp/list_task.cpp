#include "remote/source/sftp/list_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/refused_kind.hpp"

namespace ferryfs::remote::sftp {
namespace {

constexpr std::uint32_t widest_window = 16;
constexpr std::size_t one_batch = 100;
constexpr std::uint64_t beside_opendir = 1;  // the offset by which such READDIRs are known
// A directory that never ends is a broken or hostile server.
constexpr std::uint64_t most_names = 4'000'000;
// So is one whose names that can't be stored here fill the memory, where they are kept to be reported.
constexpr std::size_t most_refused = 16U << 20;  // bytes

std::string why_invalid(const std::string& name) {
  return name.empty() ? "an empty name"
         : name.size() > longest_name
             ? fmt::format("a name of {} bytes; at most {} are allowed", name.size(), longest_name)
         : name.find('/') != std::string::npos ? "a name with a '/' in it"
                                               : "a name with a zero byte in it";
}

}  // namespace

void list_task::start(request_sender& w) {
  where_ = w.where();
  retry(w, {shared_from_this(), type::opendir, {}, {}});
  auto handle = w.predict_handle();
  if (!handle) return;
  handle_.predict(*std::move(handle));
  for (; outstanding_ < window_; ++outstanding_)
    w.begin({shared_from_this(), type::readdir, {beside_opendir, 0}, {}}).string(handle_.value()).end();
}

void list_task::retry(request_sender& w, const request& r) { w.begin(r).string(w.absolute(path_)).end(); }

std::string list_task::shown() const { return printable(path_.empty() ? "." : path_); }

void list_task::set_handle(request_sender& w, std::string handle) {
  handle_.set(std::move(handle));
  if (!handle_.was_right() && names_before_handle_)
    throw protocol_error{"names in reply to a READDIR of a handle that it did not give"};
  if (!handle_.was_right()) outstanding_ = 0;  // the answers to the speculative READDIRs are not of this directory
  request_names(w);
}

void list_task::request_names(request_sender& w) {
  const auto may_request = [&] {
    return handle_.is_given() && outstanding_ < window_ && !at_end_ && !failed_ && !incomplete_.are_too_many();
  };
  for (; may_request(); ++outstanding_)
    w.begin({shared_from_this(), type::readdir, {}, {}}).string(handle_.value()).end();
}

void list_task::reply(request_sender& w, const request& r, type got, parser& p) {
  if (ended_) return;  // the answer to CLOSE, or to a READDIR beside an OPENDIR that failed
  switch (r.sent) {
    case type::opendir:
      if (got == type::status) return end(status_failure(w, path_, p));
      if (got != type::handle) throw protocol_error{"an unexpected reply to OPENDIR"};
      set_handle(w, std::string{p.string()});
      break;
    case type::readdir:
      if (handle_.is_given() && !handle_.was_right() && r.part.offset == beside_opendir) return;
      --outstanding_;
      accept_readdir(w, got, p);
      break;
    case type::readlink:
    case type::lstat:
      incomplete_.reply(w, shared_from_this(), r, got, p);
      if (ready_.size() >= one_batch) hand_over();
      break;
    default:
      return;
  }
  if (!failed_) incomplete_.request_more(w, shared_from_this());
  if (outstanding_ == 0 || (packets_ != 1 && !short_)) request_names(w);
  finish_if_done(w);
}

void list_task::accept_readdir(request_sender& w, type got, parser& p) {
  if (got == type::name) {
    names_before_handle_ = names_before_handle_ || !handle_.is_given();
    accept_names(w, p);
    // Most directories are a packet or two: what is asked for beyond them is a round trip until they have ended.
    if (++packets_ > 1) window_ = std::min(window_ * 2, widest_window);
  } else if (got != type::status) {
    throw protocol_error{"an unexpected reply to READDIR"};
  } else if (!handle_.is_given()) {
    return;  // a server that did not wait for its OPENDIR: the same is requested again
  } else if (code_of(p) == status::eof) {
    at_end_ = true;
  } else if (!failed_) {
    failed_ = status_failure(w, path_, p);
    if (failed_->why == cause::source_error)
      failed_->text += " (some servers can't list a directory with a name in it that is not UTF-8)";
  }
}

void list_task::accept_names(request_sender& w, parser& p) {
  const std::uint32_t count = p.u32();
  total_ += std::max(count, 1U);  // a packet of none is no progress either
  short_ = count < fullest_;
  fullest_ = std::max(fullest_, count);
  for (std::uint32_t left = count; left > 0; --left) {
    directory_entry f;
    f.name = p.string();
    p.bytes();  // the line that `ls -l` would show
    f.attrs = p.attrs();
    if (f.name == "." || f.name == "..") continue;
    valid_name(f.name) ? take(std::move(f)) : refuse(f.name, why_invalid(f.name));
  }
  p.end();
  if (total_ > most_names)
    failed_ = failure{cause::protocol,
                      fmt::format("{}: {}: the directory does not end after {} names", w.where(), shown(), most_names)};
  else if (handle_.is_given())
    hand_over();
}

void list_task::refuse(const std::string& name, const std::string& why) {
  refused_ += name.size();
  if (refused_ > most_refused) {
    if (!failed_)
      failed_ =
          failure{cause::protocol, fmt::format("{}: {}: its names that can't be stored here take more than {} MiB",
                                               where_, shown(), most_refused >> 20)};
    return;
  }
  if (const auto thrown = contain("a listing", [&] { to_->refused(name, why); })) failed_ = failure_of(thrown, shown());
}

void list_task::hand_over() {
  if (failed_ || ready_.empty()) return;
  if (const auto thrown = contain("a listing", [&] { to_->batch(std::exchange(ready_, {})); }))
    failed_ = failure_of(thrown, shown());
}

void list_task::take(directory_entry f) {
  const auto kind = f.attrs.mode & S_IFMT;
  if (incomplete_entries::is_incomplete(f))
    incomplete_.add(std::move(f));
  else if (is_refused_kind(kind))
    refuse(f.name, why_refused(kind));
  else
    ready_.push_back(std::move(f));
}

// READDIRs that are under way behind the end are waited for: a server may answer in another order, and with names.
void list_task::finish_if_done(request_sender& w) {
  if (ended_ || !handle_.is_given() || outstanding_ > 0 || !(at_end_ || failed_)) return;
  if (incomplete_.has_requests() || (!failed_ && incomplete_.has_waiting())) return;
  if (!std::exchange(closed_, true)) w.close(shared_from_this(), handle_.value());
  if (!failed_) incomplete_.learn_kinds(w, shared_from_this(), [this](request_sender& on) { finish_if_done(on); });
  if (incomplete_.is_learning() || (!failed_ && incomplete_.has_kindless())) return;
  hand_over();
  if (!failed_) failed_ = incomplete_.lack();
  end(failed_);
}

void list_task::lost(const failure& why) { end(why); }

void list_task::end(const std::optional<failure>& why) {
  if (ended_) return;
  ended_ = true;
  to_->finished(why);
}

}  // namespace ferryfs::remote::sftp
