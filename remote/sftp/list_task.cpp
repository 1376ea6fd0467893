#include "remote/sftp/list_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "index/path.hpp"

namespace ferryfs::remote::sftp {
namespace {

constexpr std::uint32_t widest_window = 16;
// A directory that never ends is a broken or hostile server.
constexpr std::uint64_t most_names = 4'000'000;

}  // namespace

void list_task::start(wire& w) { w.begin({shared_from_this(), type::opendir, {}, {}}).string(w.absolute(path_)).end(); }

void list_task::ask(wire& w) {
  while (asked_ < window_ && !at_end_ && !failed_) {
    w.begin({shared_from_this(), type::readdir, {}, {}}).string(handle_).end();
    ++asked_;
  }
}

void list_task::reply(wire& w, const request& r, type got, parser& p) {
  switch (r.sent) {
    case type::opendir:
      if (got == type::status) return end(status_failure(w, path_, p));
      if (got != type::handle) throw broken{"an answer to OPENDIR that is none"};
      handle_ = p.string();
      return ask(w);
    case type::readdir:
      --asked_;
      if (got == type::name) {
        names(w, p);
        window_ = std::min(window_ * 2, widest_window);
        ask(w);
      } else if (got == type::status) {
        parser peek = p;
        if (static_cast<status>(peek.u32()) == status::eof)
          at_end_ = true;
        else if (!failed_)
          failed_ = status_failure(w, path_, p);
      } else {
        throw broken{"an answer to READDIR that is none"};
      }
      return settle(w);
    case type::readlink:
      --links_;
      if (got == type::name && p.u32() == 1) {
        const std::string_view target = p.string();
        for (auto& entry : link_entries_)
          if (entry.name == r.name) entry.target = target;
      } else if (got != type::status) {
        throw broken{"an answer to READLINK that is none"};
      }
      return settle(w);
    default:
      return;  // the answer to CLOSE
  }
}

void list_task::names(wire& w, parser& p) {
  std::vector<found> batch;
  const std::uint32_t count = p.u32();
  total_ += std::max(count, 1U);  // a packet of none is no progress either
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
    if ((f.attrs.mode & S_IFMT) == 0) {
      failed_ =
          failure{cause::protocol, fmt::format("{}: {}: the server does not say what kind of file '{}' is", w.where(),
                                               printable(path_.empty() ? "." : path_), printable(f.name))};
      return;
    }
    if (S_ISLNK(f.attrs.mode)) {
      w.begin({shared_from_this(), type::readlink, {}, f.name}).string(w.absolute(join(path_, f.name))).end();
      ++links_;
      link_entries_.push_back(std::move(f));
    } else if (S_ISREG(f.attrs.mode) || S_ISDIR(f.attrs.mode)) {
      batch.push_back(std::move(f));
    }
  }
  if (total_ > most_names)
    failed_ = failure{cause::protocol, fmt::format("{}: {}: the directory does not end after {} names", w.where(),
                                                   printable(path_), most_names)};
  else if (!batch.empty())
    to_->batch(std::move(batch));
}

void list_task::settle(wire& w) {
  if (ended_ || asked_ > 0 || links_ > 0 || (!at_end_ && !failed_)) return;
  w.begin({shared_from_this(), type::close, {}, {}}).string(handle_).end();
  // A link that went while it was read has no target, and is not there.
  std::erase_if(link_entries_, [](const found& f) { return f.target.empty(); });
  if (!failed_ && !link_entries_.empty()) to_->batch(std::move(link_entries_));
  end(failed_);
}

void list_task::lost(const failure& why) { end(why); }

void list_task::end(const std::optional<failure>& why) {
  if (ended_) return;
  ended_ = true;
  to_->finished(why);
}

}  // namespace ferryfs::remote::sftp
