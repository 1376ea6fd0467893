#include "remote/source/sftp/change_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <random>

#include "index/base/path.hpp"
#include "remote/files/split_path.hpp"
#include "remote/source/temporary_name.hpp"

namespace ferryfs::remote::sftp {
namespace {

// Under a name that no scan takes for a picture's, beside `path`.
std::string name_for_trial(const std::string& path, const std::string& mark) {
  return join(split_path(path).first, temporary_name("link", mark));
}

std::string mark_of_its_own() {
  std::random_device dice;
  return fmt::format("{:08x}{:08x}-", dice(), dice());
}

}  // namespace

using what = change::what;

void change_task::start(request_sender& w) {
  const std::string path = w.absolute(change_.path);
  switch (change_.kind) {
    case what::directory:
      return w.begin(begun(type::mkdir)).string(path).mode(change_.mode).end();
    case what::link:
      return w.order_of_links() == link_order::unknown ? try_order(w, "trial-") : make_link(w);
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

void change_task::make_link(request_sender& w) {
  const std::string path = w.absolute(change_.path);
  const bool target_first = w.order_of_links() == link_order::target_first;
  w.begin(begun(type::symlink))
      .string(target_first ? change_.other : path)
      .string(target_first ? path : change_.other)
      .end();
}

// In the wrong order a link would be made wherever its target leads. So one is made first whose two paths both lie
// beside it: the one of them that READLINK answers for is the link's. The names are the same each time, so that no more
// than one is left in a directory where the account may remove nothing. The one that was left is then the next trial's.
void change_task::try_order(request_sender& w, const std::string& mark) {
  first_ = {w.absolute(name_for_trial(change_.path, mark + "1"))};
  second_ = {w.absolute(name_for_trial(change_.path, mark + "2"))};
  w.begin(trial(type::symlink, first_.path)).string(first_.path).string(second_.path).end();
}

void change_task::accept_trial(request_sender& w, const request& r, type got, parser& p) {
  if (r.sent == type::readlink) {
    (r.about.name == first_.path ? first_ : second_).is_link = got == type::name;
    if (--looks_ == 0) judge_trial(w);
    return;
  }
  if (got != type::status) throw protocol_error{"an unexpected reply to a change"};
  r.sent == type::symlink ? accept_trial_link(w, p) : accept_trial_removal(w, r, p);
}

void change_task::accept_trial_link(request_sender& w, parser& p) {
  made_trial_ = code_of(p) == status::ok;
  if (!made_trial_) {
    failed_ = status_failure(w, change_.path, p);
    const bool may_be_taken = failed_->why == cause::source_error && code_of(p) != status::unsupported;
    if (again_ || !may_be_taken) return accept_change(w, p);
  }
  for (const auto* tried : {&first_, &second_}) {
    ++looks_;
    w.begin(trial(type::readlink, tried->path)).string(tried->path).end();
  }
}

void change_task::judge_trial(request_sender& w) {
  const bool neither = !first_.is_link && !second_.is_link;
  if (first_.is_link != second_.is_link)
    return set_order(w, first_.is_link ? link_order::link_first : link_order::target_first);
  if (neither && made_trial_) return w.begin(trial(type::remove, second_.path)).string(second_.path).end();
  // Another task's, which has found the order and taken it away.
  if (neither && w.order_of_links() != link_order::unknown) return set_order(w, w.order_of_links());
  // READLINK tells nothing either where it answers for any name.
  if (again_ && !neither) return w.begin(trial(type::remove, second_.path)).string(second_.path).end();
  // Another connection's that is gone; or both are links, as where the server was replaced by one with the other order.
  again_ = true;
  try_order(w, mark_of_its_own());
}

// READLINK says nothing on that server: the path that can be removed is the link's.
void change_task::accept_trial_removal(request_sender& w, const request& r, parser& p) {
  if (knows_order_) return;
  const bool was_second = r.about.name == second_.path;
  if (code_of(p) == status::ok) {
    made_trial_ = false;
    return set_order(w, was_second ? link_order::target_first : link_order::link_first);
  }
  if (was_second) return w.begin(trial(type::remove, first_.path)).string(first_.path).end();
  end(failure{cause::source_error, fmt::format("{}: {}: a link made on trial can't be removed ({}), so it is not known "
                                               "which of a link's two paths the server takes for its name",
                                               w.where(), printable(change_.path), words_of(p))},
      {});
}

void change_task::set_order(request_sender& w, link_order order) {
  knows_order_ = true;
  failed_.reset();
  w.set_order_of_links(order);
  const std::string& link = order == link_order::target_first ? second_.path : first_.path;
  if (made_trial_) w.begin(trial(type::remove, link)).string(link).end();
  make_link(w);
}

void change_task::reply(request_sender& w, const request& r, type got, parser& p) {
  if (ended_ || r.sent == type::setstat) return;
  if (is_trial(r)) return accept_trial(w, r, got, p);
  if (r.sent == type::lstat) return accept_attributes(w, got, p);
  if (got != type::status) throw protocol_error{"an unexpected reply to a change"};
  accept_change(w, p);
}

void change_task::accept_attributes(request_sender& w, type got, parser& p) {
  attributes there;
  if (got == type::attrs) {
    there = p.attrs();
    p.end();
  } else if (got != type::status) {
    throw protocol_error{"an unexpected reply to LSTAT"};
  }
  // The task knows that it made a link, also where the server does not show that, or where its LSTAT follows links.
  if (!failed_ && change_.kind == what::link && !S_ISLNK(there.mode))
    return end(std::nullopt, {S_IFLNK | 0777U, change_.other.size(), {}});
  if (got == type::status) return end(failed_ ? *failed_ : status_failure(w, change_.path, p), {});
  if (!failed_ && !there.has_kind()) there.mode |= change_.kind == what::directory ? S_IFDIR : S_IFREG;
  if (!failed_) return end(std::nullopt, there);
  end(failure{cause::exists,
              fmt::format("{}: {}: the source has something of this name already", w.where(), printable(change_.path))},
      there);
}

void change_task::accept_change(request_sender& w, parser& p) {
  if (code_of(p) != status::ok) {
    failed_ = status_failure(w, change_.path, p);
    const bool may_exist = failed_->why == cause::source_error && change_.kind < what::replacement;
    return may_exist ? request_attributes(w) : end(failed_, {});
  }
  if (change_.kind == what::removal) return end(std::nullopt, {});
  // The server's umask has taken its part of what MKDIR asked for.
  if (change_.kind == what::directory)
    w.begin(begun(type::setstat)).string(w.absolute(change_.path)).mode(change_.mode).end();
  request_attributes(w);
}

void change_task::request_attributes(request_sender& w) {
  w.begin(begun(type::lstat)).string(w.absolute(change_.path)).end();
}

void change_task::end(const std::optional<failure>& why, const attributes& a) {
  if (ended_) return;
  ended_ = true;
  done_(why, a);
}

}  // namespace ferryfs::remote::sftp
