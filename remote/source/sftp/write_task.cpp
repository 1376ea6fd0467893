#include "remote/source/sftp/write_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote::sftp {
namespace {

constexpr std::uint32_t for_writing = 2, create = 8, only_new = 32;
constexpr range of_attributes{1, 0};  // by which the FSETSTAT of mode and time is known

}  // namespace

builder write_task::begin(request_sender& w, type t, range part) {
  ++outstanding_;
  return w.begin({shared_from_this(), t, part, {}});
}

void write_task::start(request_sender& w) { begin(w, type::lstat).string(w.absolute(from_->path())).end(); }

next_step write_task::request_more(request_sender& w) {
  if (failed_ || all_given_) return next_step::done;
  bytes_.clear();
  writing::next next{next_step::done, 0};
  if (const auto thrown = contain("request", [&] { next = from_->next_bytes(w.write_length(), bytes_); })) {
    failed_ = failure_of(thrown, printable(from_->path()));
    finish_if_done(w);
    return next_step::done;
  }
  if (next.what == next_step::more)
    begin(w, type::write, {next.offset, static_cast<std::uint32_t>(bytes_.size())})
        .string(handle_)
        .u64(next.offset)
        .bytes(bytes_)
        .end();
  if (next.what == next_step::done) complete(w);
  return next.what;
}

// The server does what one channel asks in order: all of it follows the last byte.
void write_task::complete(request_sender& w) {
  all_given_ = true;
  bytes_ = {};
  const auto wanted = from_->final_attributes();
  begin(w, type::fsetstat, of_attributes).string(handle_).mode_and_time(wanted.mode, wanted.mtime.value_or(0)).end();
  if (w.offered().fsync) begin(w, type::extended).string("fsync@openssh.com").string(handle_).end();
  begin(w, type::fstat).string(handle_).end();
  close(w);
}

void write_task::close(request_sender& w) {
  begin(w, type::close).string(handle_).end();
  closed_ = true;
}

void write_task::reply(request_sender& w, const request& r, type got, parser& p) {
  if (ended_) return;  // it was ended while the server had not answered yet
  --outstanding_;
  if (r.sent == type::lstat) return accept_attributes(w, got, p);
  if (r.sent == type::open) return accept_handle(w, got, p);
  if (r.sent == type::fstat && got == type::attrs) {
    after_ = p.attrs();
    p.end();
    if (!after_.has_kind()) after_.mode |= S_IFREG;
  } else if (got != type::status) {
    throw protocol_error{"an unexpected reply to a WRITE"};
  } else if (r.sent == type::fstat) {
    after_ = {S_IFREG, {}, {}};  // its digest proves it
  } else if (code_of(p) != status::ok && !failed_ && r.part.offset != of_attributes.offset) {
    failed_ = status_failure(w, from_->path(), p);
  }
  finish_if_done(w);
}

// A link under that name must not lead the bytes elsewhere.
void write_task::accept_attributes(request_sender& w, type got, parser& p) {
  if (got == type::attrs) {
    const auto a = p.attrs();
    p.end();
    if (a.has_kind() && !S_ISREG(a.mode))
      return end(
          failure{cause::exists, fmt::format("{}: {}: something else has the name of its partial file on the source",
                                             w.where(), printable(from_->path()))});
    // A file of unknown length is cut off.
    there_ = a.size.value_or(0) != 0 ? *a.size : UINT64_MAX;
    return open(w, for_writing);
  }
  if (got != type::status) throw protocol_error{"an unexpected reply to LSTAT"};
  const auto why = status_failure(w, from_->path(), p);
  if (why.why != cause::not_found) return end(why);
  open(w, for_writing | create | only_new);
}

void write_task::open(request_sender& w, std::uint32_t flags) {
  flags_ = flags;
  ++outstanding_;
  retry(w, {shared_from_this(), type::open, {}, {}});
}

void write_task::retry(request_sender& w, const request& r) {
  w.begin(r).string(w.absolute(from_->path())).u32(flags_).mode(0600).end();
}

void write_task::accept_handle(request_sender& w, type got, parser& p) {
  if (got == type::status) return end(status_failure(w, from_->path(), p));
  if (got != type::handle) throw protocol_error{"an unexpected reply to OPEN"};
  handle_ = p.string();
  std::uint64_t at = 0;
  if (const auto thrown = contain("request", [&] { at = from_->begin(there_); })) {
    failed_ = failure_of(thrown, printable(from_->path()));
    return finish_if_done(w);
  }
  if (at < there_) begin(w, type::fsetstat).string(handle_).size(at).end();
}

void write_task::finish_if_done(request_sender& w) {
  if (outstanding_ > 0 || (!all_given_ && !failed_)) return;
  if (!closed_) return close(w);
  end(failed_);
}

void write_task::lost(const failure& why) { end(why); }

void write_task::end(const std::optional<failure>& why) {
  if (ended_) return;
  ended_ = true;
  from_->finished(why, after_);
}

}  // namespace ferryfs::remote::sftp
