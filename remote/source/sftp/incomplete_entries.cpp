#include "remote/source/sftp/incomplete_entries.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "index/base/path.hpp"
#include "remote/source/sftp/kind_task.hpp"

namespace ferryfs::remote::sftp {
namespace {

constexpr std::uint32_t most_completing = 64;
constexpr std::size_t most_incomplete = 1000;  // beyond it no more names are asked for
constexpr std::uint32_t most_learning = 8;
// PATH_MAX without its NUL: no link leads to a longer path here. Of one that does, as much is kept as shows that.
constexpr std::size_t longest_target = 4095;

// ProFTPD answers READLINK with the whole path that a link leads to. Where the size of the link is that of the way
// there from its own directory, that is what stands in it.
std::string as_it_stands(std::string target, std::uint64_t size, const std::string& directory) {
  if (!target.starts_with('/') || size == 0 || size == target.size() || target.size() > longest_target) return target;
  auto relative = std::filesystem::path(target).lexically_relative(directory).string();
  return relative.size() == size ? relative : target;
}

}  // namespace

bool incomplete_entries::is_incomplete(const directory_entry& f) {
  const auto kind = f.attrs.mode & S_IFMT;
  return kind == 0 || (kind == S_IFLNK && f.target.empty());
}

bool incomplete_entries::are_too_many() const noexcept { return waiting_.size() >= most_incomplete; }

std::string incomplete_entries::shown(const directory_entry& f) const { return printable(join(directory_, f.name)); }

void incomplete_entries::request_more(request_sender& w, const std::shared_ptr<task>& owner) {
  for (; completing_ < most_completing && !waiting_.empty(); ++completing_) {
    directory_entry f = std::move(waiting_.front());
    waiting_.pop_front();
    const auto how = f.attrs.has_kind() ? type::readlink : type::lstat;
    const std::string path = w.absolute(join(directory_, f.name));
    w.begin({owner, how, {}, std::move(f)}).string(path).end();
  }
}

void incomplete_entries::reply(request_sender& w, const std::shared_ptr<task>& owner, const request& r, type got,
                               parser& p) {
  --completing_;
  r.sent == type::lstat ? accept_attributes(w, owner, r.about, got, p) : accept_target(w, r, got, p);
}

// A name that was removed meanwhile is not there. Any other refusal says nothing of it.
void incomplete_entries::accept_attributes(request_sender& w, const std::shared_ptr<task>& owner, directory_entry f,
                                           type got, parser& p) {
  const bool exists = got == type::attrs;
  if (got == type::status && code_of(p) == status::no_such_file) return;
  if (exists) {
    const attributes now = p.attrs();
    p.end();
    f.attrs = {now.mode != 0 ? now.mode : f.attrs.mode, now.size ? now.size : f.attrs.size,
               now.mtime ? now.mtime : f.attrs.mtime};
    if (f.attrs.has_kind()) return take_(std::move(f));
  } else if (got != type::status) {
    throw protocol_error{"an unexpected reply to LSTAT"};
  }
  ++completing_;
  const std::string path = w.absolute(join(directory_, f.name));
  w.begin({owner, type::readlink, {}, std::move(f), exists}).string(path).end();
}

void incomplete_entries::accept_target(const request_sender& w, const request& r, type got, parser& p) {
  directory_entry f = r.about;
  if (got == type::name) {
    if (p.u32() != 1) throw protocol_error{"an unexpected reply to READLINK"};
    f.target = as_it_stands(std::string{p.string().substr(0, longest_target + 1)}, f.attrs.size.value_or(0),
                            w.absolute(directory_));
    if (!f.attrs.has_kind()) f.attrs.mode = S_IFLNK | 0777;
    if (f.attrs.size.value_or(0) == 0) f.attrs.size = f.target.size();  // as the size of a link is
    if (f.target.empty())
      return record_lack(fmt::format("{}: {}: this symbolic link leads to an empty path", w.where(), shown(f)));
    return take_(std::move(f));
  }
  if (got != type::status) throw protocol_error{"an unexpected reply to READLINK"};
  const auto code = code_of(p);
  if (f.attrs.has_kind() && code == status::no_such_file) return;
  // Without READLINK a link can't be distinguished from its target.
  if (f.attrs.has_kind() || code == status::unsupported)
    return record_lack(fmt::format(
        "{}: {}: the server does not show {}: {}", w.where(), shown(f),
        f.attrs.has_kind() ? "where this symbolic link leads" : "what this is, a link or not", words_of(p)));
  kindless_.push_back({std::move(f), r.exists});
}

void incomplete_entries::learn_kinds(request_sender& w, const std::shared_ptr<task>& owner,
                                     const std::function<void(request_sender&)>& on_learnt) {
  for (; learning_ < most_learning && !kindless_.empty(); ++learning_) {
    const kindless next = std::move(kindless_.front());
    kindless_.pop_front();
    const auto learnt = [this, listing = owner.get(), on_learnt, f = next.entry](
                            request_sender& on, const std::optional<failure>& why, const attributes& a) mutable {
      --learning_;
      if (listing->ended()) return;
      if (why && why->why != cause::not_found) record_lack(why->text);
      if (!why) f.attrs = a, take_(std::move(f));
      on_learnt(on);
    };
    std::make_shared<kind_task>(owner, join(directory_, next.entry.name), next.entry.attrs, next.exists, learnt)
        ->start(w);
  }
}

void incomplete_entries::record_lack(std::string why) {
  ++lacks_;
  if (!lacking_) lacking_ = failure{cause::source_error, std::move(why)};
}

std::optional<failure> incomplete_entries::lack() const {
  auto first = lacking_;
  if (!first) return std::nullopt;
  if (lacks_ > 1) first->text += fmt::format(" (and the same of {} more names)", lacks_ - 1);
  first->text += "; its directory stays incomplete";
  return first;
}

}  // namespace ferryfs::remote::sftp
