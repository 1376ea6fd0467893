#include "remote/source/sftp/task.hpp"

#include <fmt/format.h>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/sftp/kind_task.hpp"

namespace ferryfs::remote::sftp {

status code_of(parser p) { return static_cast<status>(p.u32()); }

std::string words_of(parser p) {
  const auto code = static_cast<status>(p.u32());
  const std::string text = p.empty() ? "" : printable(p.string());
  if (!text.empty()) return text;
  switch (code) {
    case status::no_such_file:
      return "no such file";
    case status::permission_denied:
      return "permission denied";
    case status::ok:
    case status::eof:
      return "a reply without content";
    default:
      return fmt::format("the server reports error {}", static_cast<unsigned>(code));
  }
}

void fail_task(task& t, const failure& why) noexcept {
  contain("end of a request", [&] { t.lost(why); });
}

failure status_failure(const std::string& where, const std::string& path, parser& p) {
  const auto why = [&] {
    switch (code_of(p)) {
      case status::no_such_file:
        return cause::not_found;
      case status::permission_denied:
        return cause::permission;
      case status::ok:
      case status::eof:
        return cause::protocol;
      default:
        return cause::source_error;
    }
  };
  return {why(), fmt::format("{}: {}: {}", where, printable(path.empty() ? "." : path), words_of(p))};
}

namespace {

// f_fsid of a reply to statvfs@openssh.com, where a file system has one (OpenSSH's PROTOCOL, 4.4).
std::optional<std::uint64_t> file_system_in(parser& p) {
  constexpr int before_it = 8;  // f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail
  try {
    for (int i = 0; i < before_it; ++i) p.u64();
    const std::uint64_t id = p.u64();
    return id != 0 ? std::optional{id} : std::nullopt;
  } catch (const protocol_error&) {  // too short: then it is not known
    return std::nullopt;
  }
}

}  // namespace

void stat_task::start(request_sender& w) {
  // The root may be a symbolic link, as it may on rsync's command line; nothing below it is followed.
  const type kind = path_.empty() ? type::stat : type::lstat;
  w.begin({shared_from_this(), kind, {}, {}}).string(w.absolute(path_)).end();
  if (!on_file_system_ || !w.offered().statvfs) return;
  w.begin({shared_from_this(), type::extended, {}, {}}).string("statvfs@openssh.com").string(w.absolute(path_)).end();
  awaits_file_system_ = true;
}

void stat_task::reply(request_sender& w, const request& r, type got, parser& p) {
  if (ended_) return;  // it was ended while the server had not answered yet
  if (r.sent == type::extended) {
    if (got == type::extended_reply) file_system_ = file_system_in(p);
    awaits_file_system_ = false;
    if (looked_) end(looked_->first, looked_->second);
    return;
  }
  if (r.sent != type::readlink) return accept_attributes(w, got, p);
  if (got == type::name) return end(std::nullopt, {S_IFLNK | 0777U, seen_.size, seen_.mtime});
  if (got != type::status) throw protocol_error{"an unexpected reply to READLINK"};
  // Without it a link can't be distinguished from its target.
  if (code_of(p) == status::unsupported) return end(status_failure(w, path_, p), {});
  learn_kind(w);
}

void stat_task::accept_attributes(request_sender& w, type got, parser& p) {
  if (got == type::attrs) {
    seen_ = p.attrs();
    p.end();
    exists_ = true;
    if (seen_.has_kind()) return end(std::nullopt, seen_);
  } else if (got != type::status) {
    throw protocol_error{"an unexpected reply to LSTAT"};
  } else if (code_of(p) != status::unsupported) {
    return end(status_failure(w, path_, p), {});
  }
  if (path_.empty()) return learn_kind(w);
  w.begin({shared_from_this(), type::readlink, {}, {}}).string(w.absolute(path_)).end();
}

void stat_task::learn_kind(request_sender& w) {
  std::make_shared<kind_task>(
      shared_from_this(), path_, seen_, exists_,
      [this](request_sender&, const std::optional<failure>& why, const attributes& a) { end(why, a); })
      ->start(w);
}

void stat_task::lost(const failure& why) {
  awaits_file_system_ = false;
  end(why, {});
}

void stat_task::end(const std::optional<failure>& why, const attributes& a) {
  if (ended_) return;
  if (awaits_file_system_) return looked_.emplace(why, a), void();
  ended_ = true;
  if (on_file_system_) on_file_system_(why ? std::nullopt : file_system_);
  on_done_(why, a);
}

void request_sender::close(std::shared_ptr<task> owner, const std::string& handle) {
  begin({std::move(owner), type::close, {}, {}}).string(handle).end();
}

}  // namespace ferryfs::remote::sftp
