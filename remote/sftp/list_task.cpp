#include "remote/sftp/list_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "index/exception_barrier.hpp"
#include "index/path.hpp"

namespace ferryfs::remote::sftp {
namespace {

constexpr std::uint32_t widest_window = 16;
constexpr std::uint32_t most_completing = 64;
constexpr std::size_t most_incomplete = 1000;  // beyond it no more names are asked for
constexpr std::size_t one_batch = 100;
// A directory that never ends is a broken or hostile server.
constexpr std::uint64_t most_names = 4'000'000;

}  // namespace

void list_task::start(wire& w) {
  w.begin({shared_from_this(), type::opendir, {}, {}}).string(w.absolute(path_)).end();
  if (auto handle = w.next_handle()) {
    handle_ = *std::move(handle);
    ask(w);
  }
}

void list_task::opened(wire& w, std::string handle) {
  opened_ = true;
  if (handle != handle_) misnamed_ = std::exchange(asked_, 0);
  handle_ = std::move(handle);
  ask(w);
}

void list_task::ask(wire& w) {
  while (asked_ < window_ && !at_end_ && !failed_ && incomplete_.size() < most_incomplete) {
    w.begin({shared_from_this(), type::readdir, {}, {}}).string(handle_).end();
    ++asked_;
  }
}

void list_task::reply(wire& w, const request& r, type got, parser& p) {
  if (ended_) return;  // the answer to CLOSE, or to a READDIR beyond the end or beside an OPENDIR that failed
  switch (r.sent) {
    case type::opendir:
      if (got == type::status) return end(status_failure(w, path_, p));
      if (got != type::handle) throw broken{"an answer to OPENDIR that is none"};
      return opened(w, std::string{p.string()});
    case type::readdir:
      if (!opened_ && got != type::status) throw broken{"an answer to READDIR before that to OPENDIR"};
      if (!opened_) return void(--asked_);          // a server that did not wait for its OPENDIR: it is asked again
      if (misnamed_ > 0) return void(--misnamed_);  // the server answers in order: those come first
      --asked_;
      if (got == type::name) {
        names(w, p);
        // Most directories are a packet or two: what is asked for beyond them is a round trip until they have ended.
        if (++packets_ > 1) window_ = std::min(window_ * 2, widest_window);
      } else if (got == type::status) {
        parser peek = p;
        if (static_cast<status>(peek.u32()) == status::eof)
          at_end_ = true;
        else if (!failed_)
          failed_ = status_failure(w, path_, p);
      } else {
        throw broken{"an answer to READDIR that is none"};
      }
      break;
    case type::readlink:
    case type::lstat:
      --completing_;
      completed(r, got, p);
      break;
    default:
      return;
  }
  complete(w);
  if (asked_ == 0 || (packets_ != 1 && !short_)) ask(w);
  settle(w);
}

void list_task::names(wire& w, parser& p) {
  const std::uint32_t count = p.u32();
  total_ += std::max(count, 1U);  // a packet of none is no progress either
  short_ = count < fullest_;
  fullest_ = std::max(fullest_, count);
  for (std::uint32_t left = count; left > 0; --left) {
    found f;
    f.name = p.string();
    p.bytes();  // the line that `ls -l` would show
    f.attrs = p.attrs();
    if (f.name == "." || f.name == "..") continue;
    if (!valid_name(f.name)) {
      failed_ =
          failure{cause::protocol, fmt::format("{}: {}: the server sends the impossible name '{}'; nothing of this "
                                               "directory is trusted",
                                               w.where(), printable(path_.empty() ? "." : path_), printable(f.name))};
      return;
    }
    take(std::move(f));
  }
  if (total_ > most_names)
    failed_ = failure{cause::protocol, fmt::format("{}: {}: the directory does not end after {} names", w.where(),
                                                   printable(path_), most_names)};
  else
    hand_over();
}

void list_task::hand_over() {
  if (failed_ || ready_.empty()) return;
  if (const auto thrown = contain("a listing", [&] { to_->batch(std::exchange(ready_, {})); }))
    failed_ = failure_of(thrown, printable(path_.empty() ? "." : path_));
}

void list_task::take(found f) {
  const auto kind = f.attrs.mode & S_IFMT;
  if (kind == 0 || (kind == S_IFLNK && f.target.empty()))
    incomplete_.push_back(std::move(f));
  else if (kind == S_IFREG || kind == S_IFDIR || kind == S_IFLNK)
    ready_.push_back(std::move(f));
}

void list_task::complete(wire& w) {
  for (; completing_ < most_completing && !incomplete_.empty() && !failed_; ++completing_) {
    found f = std::move(incomplete_.front());
    incomplete_.pop_front();
    const auto how = (f.attrs.mode & S_IFMT) == 0 ? type::lstat : type::readlink;
    const std::string path = w.absolute(join(path_, f.name));
    w.begin({shared_from_this(), how, {}, std::move(f)}).string(path).end();
  }
}

// A name that went while it was asked about is not there.
void list_task::completed(const request& r, type got, parser& p) {
  if (got == type::status) return;
  found f = r.about;
  if (r.sent == type::lstat) {
    if (got != type::attrs) throw broken{"an answer to LSTAT that is none"};
    f.attrs = p.attrs();
    if ((f.attrs.mode & S_IFMT) == 0) throw broken{"an answer to LSTAT without a kind of file"};
  } else {
    if (got != type::name || p.u32() != 1) throw broken{"an answer to READLINK that is none"};
    f.target = p.string();
    if (f.target.empty()) return;
  }
  take(std::move(f));
  if (ready_.size() >= one_batch) hand_over();
}

void list_task::settle(wire& w) {
  // Of a server that answers in order, READDIRs that are still under way are beyond the end: nobody waits for them.
  const bool read = asked_ == 0 ? at_end_ || failed_ : at_end_ && w.offered().limits;
  if (ended_ || !read || completing_ > 0 || (!failed_ && !incomplete_.empty())) return;
  w.close(shared_from_this(), handle_);
  hand_over();
  end(failed_);
}

void list_task::lost(const failure& why) { end(why); }

void list_task::end(const std::optional<failure>& why) {
  if (ended_) return;
  ended_ = true;
  to_->finished(why);
}

}  // namespace ferryfs::remote::sftp
