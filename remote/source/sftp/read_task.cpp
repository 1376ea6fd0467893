#include "remote/source/sftp/read_task.hpp"

#include <fmt/format.h>

#include <utility>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote::sftp {

void read_task::start(request_sender& w) {
  retry(w, {shared_from_this(), type::open, {}, {}});
  if (urgent()) read_speculatively(w);
}

void read_task::retry(request_sender& w, const request& r) {
  constexpr std::uint32_t for_reading = 1, no_attributes = 0;
  w.begin(r).string(w.absolute(to_->path())).u32(for_reading).u32(no_attributes).end();
}

void read_task::read_speculatively(request_sender& w) {
  auto handle = w.predict_handle();
  if (!handle) return;
  reading::next first{next_step::throttled, {}};  // what it throws it throws again, where it can be ended
  contain("request", [&] { first = to_->next_range(w.read_length()); });
  if (first.what != next_step::more) return;
  handle_.predict(*std::move(handle));
  speculative_ = first.part;
  read(w, first.part);
}

// The READ that went with the OPEN was answered. False: the answer says nothing, and the bytes are requested again.
bool read_task::confirm_speculative(request_sender& w, type got) {
  const range part = *std::exchange(speculative_, std::nullopt);
  if (handle_.was_right() && got == type::data) return true;
  if (handle_.is_given())
    read(w, part);
  else
    retry_ = part;
  return false;
}

next_step read_task::request_more(request_sender& w) {
  if (failed_) return next_step::done;
  reading::next next{next_step::done, {}};
  if (const auto thrown = contain("request", [&] { next = to_->next_range(w.read_length()); })) {
    failed_ = failure_of(thrown, printable(to_->path()));
    finish_if_done(w);
    return next_step::done;
  }
  switch (next.what) {
    case next_step::more:
      read(w, next.part);
      break;
    case next_step::throttled:
      break;
    case next_step::done:
      all_requested_ = true;
      request_attributes(w);
      break;
  }
  return next.what;
}

void read_task::read(request_sender& w, range part) {
  w.begin({shared_from_this(), type::read, part, {}}).string(handle_.value()).u64(part.offset).u32(part.length).end();
  ++reads_;
  attributes_requested_ = false;
}

// The server answers one channel's requests in order, so this shows the file as it is after its last byte was read.
void read_task::request_attributes(request_sender& w) {
  if (attributes_requested_) return;
  w.begin({shared_from_this(), type::fstat, {}, {}}).string(handle_.value()).end();
  ++stats_;
  attributes_requested_ = true;
}

void read_task::reply(request_sender& w, const request& r, type got, parser& p) {
  if (ended_) return;  // the answer to CLOSE, or to a READ beside an OPEN that failed
  switch (r.sent) {
    case type::open:
      if (got == type::status) return end(status_failure(w, to_->path(), p));
      if (got != type::handle) throw protocol_error{"an unexpected reply to OPEN"};
      handle_.set(std::string{p.string()});
      if (retry_) read(w, *std::exchange(retry_, std::nullopt));
      return;
    case type::read:
      --reads_;
      if (is_speculative(r.part) && !confirm_speculative(w, got)) break;
      if (got == type::data)
        accept_data(w, r.part, p);
      else if (got == type::status)
        accept_refusal(w, r.part, p);
      else
        throw protocol_error{"an unexpected reply to READ"};
      break;
    case type::fstat:
      --stats_;
      if (got == type::attrs)
        accept_attributes(p);
      else if (got == type::status)
        failed_ = status_failure(w, to_->path(), p);
      else
        throw protocol_error{"an unexpected reply to FSTAT"};
      break;
    default:
      return;
  }
  finish_if_done(w);
}

void read_task::accept_data(request_sender& w, const range& requested, parser& p) {
  const auto bytes = p.bytes();
  if (bytes.empty() || bytes.size() > requested.length)
    throw protocol_error{fmt::format("{} bytes in reply to a READ of {}", bytes.size(), requested.length)};
  const auto length = static_cast<std::uint32_t>(bytes.size());
  if (!failed_)
    if (const auto thrown = contain("bytes of a picture", [&] { to_->arrived(requested.offset, bytes); }))
      failed_ = failure_of(thrown, printable(to_->path()));
  // A short read is legal, and says nothing of the end of the file; unless that is where `beyond` says so.
  const bool whole = length == requested.length || (requested.beyond && length + 1 == requested.length);
  if (!whole && !failed_) read(w, {requested.offset + length, requested.length - length, requested.beyond});
}

void read_task::accept_refusal(request_sender& w, const range& requested, parser& p) {
  if (code_of(p) != status::eof) {
    failed_ = status_failure(w, to_->path(), p);
    return;
  }
  bool welcome = false;
  if (const auto thrown = contain("end of a picture", [&] { welcome = to_->ends(requested.offset); }))
    failed_ = failure_of(thrown, printable(to_->path()));
  else if (!welcome)
    failed_ =
        failure{cause::changed, fmt::format("{}: {}: became shorter on the source", w.where(), printable(to_->path()))};
}

// It was opened, so it is no directory; OPEN follows links.
void read_task::accept_attributes(parser& p) {
  after_ = p.attrs();
  p.end();
  if (!after_.has_kind()) after_.mode |= S_IFREG;
}

void read_task::finish_if_done(request_sender& w) {
  if (reads_ > 0 || stats_ > 0 || (!all_requested_ && !failed_)) return;
  if (!attributes_requested_ && (!failed_ || failed_->why == cause::changed)) return request_attributes(w);
  w.close(shared_from_this(), handle_.value());
  end(failed_);
}

void read_task::lost(const failure& why) { end(why); }

void read_task::end(const std::optional<failure>& why) {
  if (ended_) return;
  ended_ = true;
  to_->finished(why, after_);
}

}  // namespace ferryfs::remote::sftp
