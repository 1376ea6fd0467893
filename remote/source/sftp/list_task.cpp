#include "remote/source/sftp/list_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/refused_kind.hpp"
#include "remote/source/sftp/kind_task.hpp"

namespace ferryfs::remote::sftp {
namespace {

constexpr std::uint32_t widest_window = 16;
constexpr std::uint32_t most_completing = 64;
constexpr std::size_t most_incomplete = 1000;  // beyond it no more names are asked for
constexpr std::uint32_t most_learning = 8;
constexpr std::size_t one_batch = 100;
constexpr std::uint64_t beside_opendir = 1;  // the offset by which such READDIRs are known
// A directory that never ends is a broken or hostile server.
constexpr std::uint64_t most_names = 4'000'000;
// So is one of names that fill the memory of who keeps those that can't stand here.
constexpr std::size_t most_refused = 16U << 20;  // bytes
// PATH_MAX without its NUL: no link leads to a longer path here. Of one that does, as much is kept as shows that.
constexpr std::size_t longest_target = 4095;

std::string why_invalid(const std::string& name) {
  return name.empty()                 ? "an empty name"
         : name.size() > longest_name ? fmt::format("a name of {} bytes; {} are the most", name.size(), longest_name)
         : name.find('/') != std::string::npos ? "a name with a '/' in it"
                                               : "a name with a zero byte in it";
}

// ProFTPD answers READLINK with the whole path that a link leads to. Where the size of the link is that of the way
// there from its own directory, that is what stands in it.
std::string as_it_stands(std::string target, std::uint64_t size, const std::string& directory) {
  if (!target.starts_with('/') || size == 0 || size == target.size() || target.size() > longest_target) return target;
  auto relative = std::filesystem::path(target).lexically_relative(directory).string();
  return relative.size() == size ? relative : target;
}

}  // namespace

void list_task::start(request_sender& w) {
  retry(w, {shared_from_this(), type::opendir, {}, {}});
  auto handle = w.predict_handle();
  if (!handle) return;
  handle_.predict(*std::move(handle));
  for (; outstanding_ < window_; ++outstanding_)
    w.begin({shared_from_this(), type::readdir, {beside_opendir, 0}, {}}).string(handle_.value()).end();
}

void list_task::retry(request_sender& w, const request& r) { w.begin(r).string(w.absolute(path_)).end(); }

std::string list_task::shown() const { return printable(path_.empty() ? "." : path_); }
std::string list_task::shown(const directory_entry& f) const { return printable(join(path_, f.name)); }

void list_task::set_handle(request_sender& w, std::string handle) {
  handle_.set(std::move(handle));
  if (!handle_.was_right() && names_before_handle_)
    throw protocol_error{"names in answer to a READDIR of a handle that it did not give"};
  if (!handle_.was_right()) outstanding_ = 0;  // the answers to the speculative READDIRs are not of this directory
  request_names(w);
}

void list_task::request_names(request_sender& w) {
  const auto may_request = [&] {
    return handle_.is_given() && outstanding_ < window_ && !at_end_ && !failed_ && incomplete_.size() < most_incomplete;
  };
  for (; may_request(); ++outstanding_)
    w.begin({shared_from_this(), type::readdir, {}, {}}).string(handle_.value()).end();
}

void list_task::reply(request_sender& w, const request& r, type got, parser& p) {
  if (ended_) return;  // the answer to CLOSE, or to a READDIR beside an OPENDIR that failed
  switch (r.sent) {
    case type::opendir:
      if (got == type::status) return end(status_failure(w, path_, p));
      if (got != type::handle) throw protocol_error{"an answer to OPENDIR that is none"};
      set_handle(w, std::string{p.string()});
      break;
    case type::readdir:
      if (handle_.is_given() && !handle_.was_right() && r.part.offset == beside_opendir) return;
      --outstanding_;
      accept_readdir(w, got, p);
      break;
    case type::readlink:
    case type::lstat:
      --completing_;
      r.sent == type::lstat ? accept_attributes(w, r.about, got, p) : accept_target(w, r, got, p);
      if (ready_.size() >= one_batch) hand_over();
      break;
    default:
      return;
  }
  complete_names(w);
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
    throw protocol_error{"an answer to READDIR that is none"};
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
          failure{cause::protocol, fmt::format("{}: the directory has names that can't stand here, of more than {} MiB",
                                               shown(), most_refused >> 20)};
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
  if (kind == 0 || (kind == S_IFLNK && f.target.empty()))
    incomplete_.push_back(std::move(f));
  else if (is_refused_kind(kind))
    refuse(f.name, why_refused(kind));
  else
    ready_.push_back(std::move(f));
}

void list_task::complete_names(request_sender& w) {
  for (; completing_ < most_completing && !incomplete_.empty() && !failed_; ++completing_) {
    directory_entry f = std::move(incomplete_.front());
    incomplete_.pop_front();
    const auto how = f.attrs.has_kind() ? type::readlink : type::lstat;
    const std::string path = w.absolute(join(path_, f.name));
    w.begin({shared_from_this(), how, {}, std::move(f)}).string(path).end();
  }
}

// A name that was removed meanwhile is not there. Any other refusal says nothing of it.
void list_task::accept_attributes(request_sender& w, directory_entry f, type got, parser& p) {
  const bool exists = got == type::attrs;
  if (got == type::status && code_of(p) == status::no_such_file) return;
  if (exists) {
    const attributes now = p.attrs();
    p.end();
    f.attrs = {now.mode != 0 ? now.mode : f.attrs.mode, now.size ? now.size : f.attrs.size,
               now.mtime ? now.mtime : f.attrs.mtime};
    if (f.attrs.has_kind()) return take(std::move(f));
  } else if (got != type::status) {
    throw protocol_error{"an answer to LSTAT that is none"};
  }
  ++completing_;
  const std::string path = w.absolute(join(path_, f.name));
  w.begin({shared_from_this(), type::readlink, {}, std::move(f), exists}).string(path).end();
}

void list_task::accept_target(request_sender& w, const request& r, type got, parser& p) {
  directory_entry f = r.about;
  if (got == type::name) {
    if (p.u32() != 1) throw protocol_error{"an answer to READLINK that is none"};
    std::string told{p.string().substr(0, longest_target + 1)};
    f.target = as_it_stands(std::move(told), f.attrs.size.value_or(0), w.absolute(path_));
    if (!f.attrs.has_kind()) f.attrs.mode = S_IFLNK | 0777;
    if (f.attrs.size.value_or(0) == 0) f.attrs.size = f.target.size();  // as the size of a link is
    if (f.target.empty())
      return record_lack(fmt::format("{}: {}: this symbolic link leads to an empty path", w.where(), shown(f)));
    return take(std::move(f));
  }
  if (got != type::status) throw protocol_error{"an answer to READLINK that is none"};
  const auto code = code_of(p);
  if (f.attrs.has_kind() && code == status::no_such_file) return;
  // Without READLINK a link can't be told from what it leads to.
  if (f.attrs.has_kind() || code == status::unsupported)
    return record_lack(fmt::format(
        "{}: {}: the server does not tell {}: {}", w.where(), shown(f),
        f.attrs.has_kind() ? "where this symbolic link leads" : "what this is, a link or not", words_of(p)));
  kindless_.push_back({std::move(f), r.exists});
}

// Its own handle is closed by now: a server may have one for a connection.
void list_task::learn_kinds(request_sender& w) {
  for (; learning_ < most_learning && !kindless_.empty() && !failed_; ++learning_) {
    const kindless next = std::move(kindless_.front());
    kindless_.pop_front();
    const auto learnt = [this, f = next.name](request_sender& on, const std::optional<failure>& why,
                                              const attributes& a) mutable {
      --learning_;
      if (ended_) return;
      if (why && why->why != cause::not_found) record_lack(why->text);
      if (!why) f.attrs = a, take(std::move(f));
      finish_if_done(on);
    };
    std::make_shared<kind_task>(shared_from_this(), join(path_, next.name.name), next.name.attrs, next.exists, learnt)
        ->start(w);
  }
}

void list_task::record_lack(std::string why) {
  ++lacks_;
  if (!lacking_) lacking_ = failure{cause::source_error, std::move(why)};
}

// READDIRs that are under way behind the end are waited for: a server may answer in another order, and with names.
void list_task::finish_if_done(request_sender& w) {
  if (ended_ || !handle_.is_given() || outstanding_ > 0 || !(at_end_ || failed_)) return;
  if (completing_ > 0 || (!failed_ && !incomplete_.empty())) return;
  if (!std::exchange(closed_, true)) w.close(shared_from_this(), handle_.value());
  learn_kinds(w);
  if (learning_ > 0 || (!failed_ && !kindless_.empty())) return;
  hand_over();
  if (!failed_ && lacking_) {
    failed_ = lacking_;
    if (lacks_ > 1) failed_->text += fmt::format(" (and the same of {} more names)", lacks_ - 1);
    failed_->text += "; its directory stays incomplete";
  }
  end(failed_);
}

void list_task::lost(const failure& why) { end(why); }

void list_task::end(const std::optional<failure>& why) {
  if (ended_) return;
  ended_ = true;
  to_->finished(why);
}

}  // namespace ferryfs::remote::sftp
