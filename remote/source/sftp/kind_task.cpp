#include "remote/source/sftp/kind_task.hpp"

#include <fmt/format.h>

#include "index/base/path.hpp"

namespace ferryfs::remote::sftp {

void kind_task::start(request_sender& w) { open(w, type::opendir, 0); }

// OPENDIR of a file is refused however few are open, so both are asked once more.
void kind_task::retry(request_sender& w, const request& r) { open(w, type::opendir, r.refusals); }

void kind_task::open(request_sender& w, type how, unsigned refusals) {
  constexpr std::uint32_t for_reading = 1, no_attributes = 0;
  auto packet = w.begin({shared_from_this(), how, {}, {}, false, refusals});
  packet.string(w.absolute(path_));
  if (how == type::open) packet.u32(for_reading).u32(no_attributes);
  packet.end();
}

void kind_task::reply(request_sender& w, const request& r, type got, parser& p) {
  if (ended_) return;  // the answer to CLOSE
  // It was ended while the server had not answered yet.
  if (whole_->ended()) {
    if (r.sent == type::fstat) w.close(shared_from_this(), handle_);
    return;
  }
  if (r.sent == type::fstat) {
    if (got == type::attrs) {
      const attributes open = p.attrs();
      p.end();
      if (open.mode != 0) seen_.mode = open.mode;
      if (open.size) seen_.size = open.size;
      if (open.mtime) seen_.mtime = open.mtime;
    } else if (got != type::status) {
      throw protocol_error{"an unexpected reply to FSTAT"};
    }
    return is(w, S_IFREG, 0644);
  }
  if (got == type::status) return refused(w, r, p);
  if (got != type::handle) throw protocol_error{"an unexpected reply to OPEN"};
  handle_ = p.string();
  if (r.sent == type::opendir) return is(w, S_IFDIR, 0755);
  w.begin({shared_from_this(), type::fstat, {}, {}}).string(handle_).end();
}

// OpenSSH's server, too, says that there is no such file where OPENDIR finds no directory.
void kind_task::refused(request_sender& w, const request& r, parser& p) {
  gone_ = gone_ && code_of(p) == status::no_such_file;
  if (r.sent == type::opendir) return open(w, type::open, r.refusals);
  ended_ = true;
  failure why = status_failure(w, path_, p);
  if (!gone_) {
    if (why.why == cause::not_found) why.why = cause::source_error;
    why.text += " (the server does not show what kind of file it is, and it can't be opened)";
  }
  on_done_(w, why, {});
}

void kind_task::is(request_sender& w, std::uint32_t kind, std::uint32_t usual_mode) {
  ended_ = true;
  w.close(shared_from_this(), handle_);
  if (seen_.mode == 0) seen_.mode = usual_mode;
  if (!seen_.has_kind()) seen_.mode |= kind;
  on_done_(w, std::nullopt, seen_);
}

}  // namespace ferryfs::remote::sftp
