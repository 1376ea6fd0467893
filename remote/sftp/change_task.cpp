#include "remote/sftp/change_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "index/path.hpp"

namespace ferryfs::remote::sftp {

using what = change::what;

void change_task::start(wire& w) {
  const auto begin = [&](type t) { return request{shared_from_this(), t, {}, {}}; };
  const std::string path = w.absolute(change_.path);
  switch (change_.kind) {
    case what::directory:
      return w.begin(begin(type::mkdir)).string(path).mode(change_.mode).end();
    case what::link:  // in OpenSSH's order, which is not the draft's
      return w.begin(begin(type::symlink)).string(change_.other).string(path).end();
    case what::name:
      return w.begin(begin(type::rename)).string(w.absolute(change_.other)).string(path).end();
    case what::replacement:
      return w.begin(begin(type::extended))
          .string("posix-rename@openssh.com")
          .string(w.absolute(change_.other))
          .string(path)
          .end();
    case what::removal:
      return w.begin(begin(type::remove)).string(path).end();
  }
}

void change_task::reply(wire& w, const request& r, type got, parser& p) {
  if (r.sent == type::setstat) return;
  if (r.sent != type::lstat) {
    if (got != type::status) throw broken{"an answer to a change that is none"};
    return changed(w, p);
  }
  if (got == type::attrs) {
    auto there = p.attrs();
    p.end();
    // What was made is known, also where the server does not tell it.
    if (!failed_ && !there.has_kind())
      there.mode |= change_.kind == what::directory ? S_IFDIR : change_.kind == what::link ? S_IFLNK : S_IFREG;
    if (!failed_) return end(std::nullopt, there);
    return end(failure{cause::exists, fmt::format("{}: {}: the source has something under this name already", w.where(),
                                                  printable(change_.path))},
               there);
  }
  if (got != type::status) throw broken{"an answer to LSTAT that is none"};
  end(failed_ ? *failed_ : status_failure(w, change_.path, p), {});
}

void change_task::changed(wire& w, parser& p) {
  if (code_of(p) != status::ok) {
    failed_ = status_failure(w, change_.path, p);
    const bool may_exist = failed_->why == cause::source_error && change_.kind < what::replacement;
    return may_exist ? look(w) : end(failed_, {});
  }
  if (change_.kind == what::removal) return end(std::nullopt, {});
  // The server's umask has taken its part of what MKDIR asked for.
  if (change_.kind == what::directory)
    w.begin({shared_from_this(), type::setstat, {}, {}}).string(w.absolute(change_.path)).mode(change_.mode).end();
  look(w);
}

void change_task::look(wire& w) {
  w.begin({shared_from_this(), type::lstat, {}, {}}).string(w.absolute(change_.path)).end();
}

void change_task::end(const std::optional<failure>& why, const attributes& a) {
  if (ended_) return;
  ended_ = true;
  done_(why, a);
}

}  // namespace ferryfs::remote::sftp
