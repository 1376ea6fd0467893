#include "remote/sftp/change_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <random>

#include "index/path.hpp"
#include "remote/push/part_name.hpp"

namespace ferryfs::remote::sftp {
namespace {

// Under a name that no scan takes for a picture's, beside `path`; another each time.
std::string name_for_trial(const std::string& path) {
  const auto slash = path.rfind('/');
  std::random_device dice;
  const std::string name = part_name("link", fmt::format("{:08x}{:08x}", dice(), dice()));
  return slash == std::string::npos ? name : join(path.substr(0, slash), name);
}

}  // namespace

using what = change::what;

void change_task::start(wire& w) {
  const std::string path = w.absolute(change_.path);
  switch (change_.kind) {
    case what::directory:
      return w.begin(begun(type::mkdir)).string(path).mode(change_.mode).end();
    case what::link:
      return w.order_of_links() == link_order::unknown ? try_order(w) : make_link(w);
    case what::name:
      return w.begin(begun(type::rename)).string(w.absolute(change_.other)).string(path).end();
    case what::replacement:
      return w.begin(begun(type::extended))
          .string("posix-rename@openssh.com")
          .string(w.absolute(change_.other))
          .string(path)
          .end();
    case what::removal:
      return w.begin(begun(type::remove)).string(path).end();
  }
}

void change_task::make_link(wire& w) {
  const std::string path = w.absolute(change_.path);
  const bool target_first = w.order_of_links() == link_order::target_first;
  w.begin(begun(type::symlink))
      .string(target_first ? change_.other : path)
      .string(target_first ? path : change_.other)
      .end();
}

// In the wrong order a link would be made wherever its target leads. So one is made first whose two paths both lie
// beside it: the one of them that can be taken away is the link's.
void change_task::try_order(wire& w) {
  tried_first_ = w.absolute(name_for_trial(change_.path));
  tried_second_ = w.absolute(name_for_trial(change_.path));
  w.begin(begun(type::symlink)).string(tried_first_).string(tried_second_).end();
}

void change_task::order_tried(wire& w, const request& r, parser& p) {
  const bool ok = code_of(p) == status::ok;
  if (r.sent == type::symlink) {
    if (!ok) return changed(w, p);
    return w.begin(begun(type::remove)).string(std::exchange(tried_second_, {})).end();
  }
  if (!ok && tried_second_.empty() && !tried_first_.empty())
    return w.begin(begun(type::remove)).string(std::exchange(tried_first_, {})).end();
  if (!ok)
    return end(
        failure{cause::source_error,
                fmt::format("{}: {}: a link made on trial can't be taken away ({}), so it is not known which of a "
                            "link's two paths the server takes for its name",
                            w.where(), printable(change_.path), words_of(p))},
        {});
  w.set_order_of_links(tried_first_.empty() ? link_order::link_first : link_order::target_first);
  tried_first_.clear();
  make_link(w);
}

void change_task::reply(wire& w, const request& r, type got, parser& p) {
  if (r.sent == type::setstat) return;
  if (r.sent == type::lstat) return looked(w, got, p);
  if (got != type::status) throw broken{"an answer to a change that is none"};
  const bool tries = change_.kind == what::link && (r.sent == type::remove || !tried_second_.empty());
  tries ? order_tried(w, r, p) : changed(w, p);
}

void change_task::looked(wire& w, type got, parser& p) {
  attributes there;
  if (got == type::attrs) {
    there = p.attrs();
    p.end();
  } else if (got != type::status) {
    throw broken{"an answer to LSTAT that is none"};
  }
  // What was made is known, also where the server does not tell it, or where its LSTAT follows links.
  if (!failed_ && change_.kind == what::link && !S_ISLNK(there.mode))
    return end(std::nullopt, {S_IFLNK | 0777U, change_.other.size(), {}});
  if (got == type::status) return end(failed_ ? *failed_ : status_failure(w, change_.path, p), {});
  if (!failed_ && !there.has_kind()) there.mode |= change_.kind == what::directory ? S_IFDIR : S_IFREG;
  if (!failed_) return end(std::nullopt, there);
  end(failure{cause::exists, fmt::format("{}: {}: the source has something under this name already", w.where(),
                                         printable(change_.path))},
      there);
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
    w.begin(begun(type::setstat)).string(w.absolute(change_.path)).mode(change_.mode).end();
  look(w);
}

void change_task::look(wire& w) { w.begin(begun(type::lstat)).string(w.absolute(change_.path)).end(); }

void change_task::end(const std::optional<failure>& why, const attributes& a) {
  if (ended_) return;
  ended_ = true;
  done_(why, a);
}

}  // namespace ferryfs::remote::sftp
