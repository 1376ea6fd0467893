#include "remote/source/sftp/read_task.hpp"

#include <fmt/format.h>

#include <utility>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote::sftp {
void read_task::start(wire& w) {
  again(w, {shared_from_this(), type::open, {}, {}});
  if (urgent()) read_unopened(w);
}

void read_task::again(wire& w, const request& r) {
  constexpr std::uint32_t for_reading = 1, no_attributes = 0;
  w.begin(r).string(w.absolute(to_->path())).u32(for_reading).u32(no_attributes).end();
}

void read_task::read_unopened(wire& w) {
  const auto handle = w.next_handle();
  if (!handle) return;
  reading::next first{reading::wish::later, {}};  // what it throws it throws again, where it can be ended
  contain("request", [&] { first = to_->want(w.read_length()); });
  if (first.what != reading::wish::more) return;
  handle_ = *handle;
  early_ = first.part;
  read(w, first.part);
}

// The answer to the READ that went with the OPEN. False: it says nothing, and the bytes are asked for again.
bool read_task::takes_early(wire& w, type got) {
  const range part = *std::exchange(early_, std::nullopt);
  if (opened_ && foretold_ && got == type::data) return true;
  if (opened_)
    read(w, part);
  else
    missed_ = part;
  return false;
}

reading::wish read_task::request_more(wire& w) {
  if (failed_) return reading::wish::enough;
  reading::next next{reading::wish::enough, {}};
  if (const auto thrown = contain("request", [&] { next = to_->want(w.read_length()); })) {
    failed_ = failure_of(thrown, printable(to_->path()));
    settle(w);
    return reading::wish::enough;
  }
  switch (next.what) {
    case reading::wish::more:
      read(w, next.part);
      break;
    case reading::wish::later:
      break;
    case reading::wish::enough:
      enough_ = true;
      look_again(w);
      break;
  }
  return next.what;
}

void read_task::read(wire& w, range part) {
  w.begin({shared_from_this(), type::read, part, {}}).string(handle_).u64(part.offset).u32(part.length).end();
  ++reads_;
  looked_ = false;
}

// The server answers one channel's requests in order, so this shows the file as it is after its last byte was read.
void read_task::look_again(wire& w) {
  if (looked_) return;
  w.begin({shared_from_this(), type::fstat, {}, {}}).string(handle_).end();
  ++looks_;
  looked_ = true;
}

void read_task::reply(wire& w, const request& r, type got, parser& p) {
  if (ended_) return;  // the answer to CLOSE, or to a READ beside an OPEN that failed
  switch (r.sent) {
    case type::open: {
      if (got == type::status) return end(status_failure(w, to_->path(), p));
      if (got != type::handle) throw broken{"an answer to OPEN that is none"};
      std::string handle{p.string()};
      foretold_ = handle_ == handle;
      handle_ = std::move(handle);
      opened_ = true;
      if (missed_) read(w, *std::exchange(missed_, std::nullopt));
      return;
    }
    case type::read:
      --reads_;
      if (is_early(r.part) && !takes_early(w, got)) break;
      if (got == type::data)
        data(w, r.part, p);
      else if (got == type::status)
        no_data(w, r.part, p);
      else
        throw broken{"an answer to READ that is none"};
      break;
    case type::fstat:
      --looks_;
      if (got == type::attrs)
        looked_at(p);
      else if (got == type::status)
        failed_ = status_failure(w, to_->path(), p);
      else
        throw broken{"an answer to FSTAT that is none"};
      break;
    default:
      return;
  }
  settle(w);
}

void read_task::data(wire& w, const range& asked, parser& p) {
  const auto bytes = p.bytes();
  if (bytes.empty() || bytes.size() > asked.length)
    throw broken{fmt::format("{} bytes in answer to a READ of {}", bytes.size(), asked.length)};
  const auto length = static_cast<std::uint32_t>(bytes.size());
  if (!failed_)
    if (const auto thrown = contain("bytes of a picture", [&] { to_->arrived(asked.offset, bytes); }))
      failed_ = failure_of(thrown, printable(to_->path()));
  // A short read is legal, and says nothing of the end of the file; unless that is where it was foretold.
  const bool whole = length == asked.length || (asked.beyond && length + 1 == asked.length);
  if (!whole && !failed_) read(w, {asked.offset + length, asked.length - length, asked.beyond});
}

void read_task::no_data(wire& w, const range& asked, parser& p) {
  if (code_of(p) != status::eof) {
    failed_ = status_failure(w, to_->path(), p);
    return;
  }
  bool welcome = false;
  if (const auto thrown = contain("end of a picture", [&] { welcome = to_->ends(asked.offset); }))
    failed_ = failure_of(thrown, printable(to_->path()));
  else if (!welcome)
    failed_ =
        failure{cause::changed, fmt::format("{}: {}: became shorter on the source", w.where(), printable(to_->path()))};
}

// It was opened, so it is no directory; OPEN follows links.
void read_task::looked_at(parser& p) {
  after_ = p.attrs();
  p.end();
  if (!after_.has_kind()) after_.mode |= S_IFREG;
}

void read_task::settle(wire& w) {
  if (reads_ > 0 || looks_ > 0 || (!enough_ && !failed_)) return;
  if (!looked_ && (!failed_ || failed_->why == cause::changed)) return look_again(w);
  w.close(shared_from_this(), handle_);
  end(failed_);
}

void read_task::lost(const failure& why) { end(why); }

void read_task::end(const std::optional<failure>& why) {
  if (ended_) return;
  ended_ = true;
  to_->finished(why, after_);
}

}  // namespace ferryfs::remote::sftp
