#include "remote/engine/push/pusher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <random>

#include "index/base/error.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/query/set.hpp"
#include "index/update/push_result.hpp"
#include "remote/files/sha256.hpp"
#include "remote/source/temporary_name.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_at_once = 128;
constexpr unsigned most_losses = 6, most_changes = 3;
constexpr std::uint64_t denials_that_tell = 20;  // with nothing taken: the account may not write at all

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool stands_for(const struct stat& st, const file_facts& s) {
  return static_cast<std::uint64_t>(st.st_size) == s.size && to_ns(st.st_mtim) == s.mtime;
}

// So that two archives which push the same name to one server do not send into one file.
std::string id_of_archive(migration& m) {
  constexpr const char* key = "archive_id";
  if (const auto known = m.readers().borrow()->meta(key)) return *known;
  std::random_device dice;
  const std::string id = fmt::format("{:08x}{:08x}", dice(), dice());
  m.index().run([&](index::transaction& t) { t.put_meta(key, id); });
  return id;
}

bool shows_other(const attributes& there, const file_facts& here) {
  const bool other_time = there.mtime && *there.mtime != to_seconds(here.mtime);
  return other_time || ((there.mode & 07777) != 0 && ((there.mode ^ here.mode) & 0777) != 0);
}

failure spoilt(const std::string& path) {
  return {cause::local_error, fmt::format("{}: {}", printable(path), spoilt_here)};
}

failure local_failure(const std::string& path, int problem) {
  return {cause::local_error, fmt::format("{}: cannot be read: {}", printable(path), std::strerror(problem))};
}

}  // namespace

pusher::pusher(migration& m, bool overwritten, open_files_query open)
    : migration_(m),
      overwritten_(overwritten),
      open_(std::move(open)),
      filter_(m.setup().exclude, m.setup().profile),
      reader_(m.readers().borrow()) {}

push_result pusher::run(const std::string& path, const std::stop_token& stop) {
  stop_ = stop;
  archive_id_ = id_of_archive(migration_);
  if (!reader_->at(path))
    throw error(exit_code::usage, fmt::format("{}: no such picture or directory", printable(path)));
  // What is not there by mistake would be sent to wherever that mistake leads.
  if (const auto why = migration_.suspicion(); !why.empty())
    throw error(exit_code::source, fmt::format("nothing is sent while the source is not believed: {}", why));
  if (overwritten_ && !migration_.source().can_replace())
    throw error(exit_code::source,
                fmt::format("{}: the server cannot replace a file in one step (posix-rename@openssh.com); push without "
                            "--overwritten",
                            printable(migration_.setup().source)));
  try {
    walk(index::set::added, path);
    if (overwritten_) walk(index::set::conflict, path);
  } catch (...) {
    end(push_result::end::interrupted);
    drain();  // what is on its way comes back here
    throw;
  }
  drain();
  conclude();
  return result_;
}

void pusher::end(push_result::end how) {
  const std::lock_guard lock{mutex_};
  result_.ended = how;
}

pusher::progress pusher::so_far() {
  const std::lock_guard lock{mutex_};
  return {result_.files, bytes_};
}

void pusher::walk(index::set which, const std::string& path) {
  chain_.clear();
  if (!is_over())
    index::walk(*reader_, which, path, [this](const std::string& at, const entry& e) { return consider(at, e); });
}

// False: it is over.
bool pusher::consider(const std::string& path, const entry& e) {
  if (is_over()) return false;
  if (!e.local || is_hidden(e.state) || is_temporary_name(e.name)) return true;
  // Pipes, sockets and devices stay here: SFTP has none, and opening one may do something.
  if (!S_ISREG(e.local->mode) && (!S_ISLNK(e.local->mode) || e.state == state::conflict)) return true;
  const auto target = reader_->source_path(e.ino);
  if (!target) return true;
  const attributes here{e.local->mode, e.local->size, to_seconds(e.local->mtime)};
  if (filter_.excludes(parent_of(*target), {target->substr(target->rfind('/') + 1), here, e.target})) return true;
  const auto& directory = directory_for(e);
  if (directory.left_out) return true;
  if (directory.why) {
    refuse(*directory.why);
    return !is_over();
  }
  if (auto why = taken(e, *target)) {
    refuse(*why);
    return !is_over();
  }
  if (!wait_for_room()) return false;
  send({e, path, *target, replaced_by(e)});
  return true;
}

// What of the source's a picture may replace.
std::optional<file_facts> pusher::replaced_by(const entry& e) {
  if (!overwritten_ || !S_ISREG(e.local->mode)) return std::nullopt;
  if (e.state == state::conflict) return e.source;
  const auto hidden = reader_->hidden_child(e.parent, e.name);
  const bool given_up = hidden && (hidden->state == state::deleted || hidden->state == state::kept_local);
  return given_up ? hidden->source : std::nullopt;
}

// A name that on the source is that of something else, which only has another name here.
std::optional<failure> pusher::taken(const entry& e, const std::string& target) {
  if (e.source || e.origin) return std::nullopt;
  const auto hidden = reader_->hidden_child(e.parent, e.name);
  if (!hidden || hidden->state != state::moved) return std::nullopt;
  return failure{cause::exists,
                 fmt::format("{}: on the source that is the name of something that has another name here; "
                             "choose another name",
                             printable(target))};
}

// The walk goes through one directory after the other: those above the last one are known.
const pusher::made_directory& pusher::directory_for(const entry& e) {
  std::vector<entry> above;
  for (auto d = reader_->by_inode(e.parent); d; d = reader_->by_inode(d->parent)) {
    above.push_back(*d);
    if (d->ino == root_inode) break;
  }
  std::size_t known = 0;
  while (known < chain_.size() && known < above.size() && chain_[known].ino == above[above.size() - 1 - known].ino)
    ++known;
  chain_.resize(known);
  while (chain_.size() < above.size()) {
    const entry& d = above[above.size() - 1 - chain_.size()];
    const bool closed = !chain_.empty() && (chain_.back().why || chain_.back().left_out);
    chain_.push_back(closed ? made_directory{d.ino, chain_.back().why, chain_.back().left_out} : enter(d));
  }
  return chain_.back();
}

pusher::made_directory pusher::enter(const entry& d) {
  const auto target = reader_->source_path(d.ino);
  if (d.ino == root_inode || !target) return {d.ino, {}};
  const attributes here{d.shown().mode, 0, 0};
  if (filter_.excludes(parent_of(*target), {target->substr(target->rfind('/') + 1), here, {}}))
    return {d.ino, {}, true};
  if (d.source && S_ISDIR(d.source->mode)) return {d.ino, {}};
  if (auto why = taken(d, *target)) return {d.ino, std::move(why)};
  const auto [why, there] = make(d, *target);
  if (why) return {d.ino, why};
  if (!S_ISDIR(there.mode))
    return {d.ino, failure{cause::exists, fmt::format("{}: on the source that is no directory", printable(*target))}};
  migration_.index().post(
      [d, source = side_of(there)](index::transaction& t) { index::apply_pushed_directory(t, d, source); });
  return {d.ino, {}};
}

std::pair<std::optional<failure>, attributes> pusher::make(const entry& d, const std::string& target) {
  auto& source = migration_.source();
  const auto look = [&](auto done) { source.stat(target, done); };
  auto answer = ask(look);
  if (!answer.first || answer.first->why != cause::not_found) return answer;
  answer = ask([&](auto done) { source.make_directory(target, d.shown().mode & 07777, done); });
  if (answer.first && answer.first->why == cause::exists) return ask(look);
  if (!answer.first) {
    const std::lock_guard lock{mutex_};
    accepted_ = true;
  }
  return answer;
}

// Waits for one answer; a lost connection is no answer.
template <typename Ask>
std::pair<std::optional<failure>, attributes> pusher::ask(Ask&& request) {
  using answer = std::pair<std::optional<failure>, attributes>;
  for (unsigned losses = 0;; ++losses) {
    auto promise = std::make_shared<std::promise<answer>>();
    request([promise](const std::optional<failure>& why, const attributes& a) { promise->set_value({why, a}); });
    auto got = promise->get_future().get();
    if (!got.first || !got.first->of_connection() || losses == most_losses || !wait_for_source()) return got;
  }
}

// Why it is not to be sent, as it is now.
std::optional<failure> pusher::objection(const parcel& p) {
  if (open_.is_written(p.row.ino))
    return failure{cause::changed,
                   fmt::format("{}: is being written here; push again when that has ended", printable(p.path))};
  if (const auto now = reader_->by_inode(p.row.ino); now && is_spoilt(*now)) return spoilt(p.path);
  return std::nullopt;
}

// It was counted: whatever happens, it ends.
void pusher::send(const parcel& p) {
  if (const auto thrown = contain("push", [&] { try_to_send(p); }))
    over(p, {}, shipment::end::failed, failure_of(thrown, printable(p.path)), {});
}

void pusher::try_to_send(parcel p) {
  if (const auto why = objection(p)) return over(p, {}, shipment::end::failed, why, {});
  S_ISLNK(p.row.local->mode) ? send_link(std::move(p)) : send_file(std::move(p));
}

void pusher::send_file(parcel p) {
  auto from = open(p);
  if (!from) return;
  auto s = std::make_shared<shipment>(shipment::services{migration_.source(), migration_.where(), migration_.limit(),
                                                         migration_.readers(), open_, bytes_, stop_, archive_id_},
                                      p.row, p.path, p.target, *std::move(from), p.replaces);
  s->go([this, p = std::move(p), digest = s->sha256()](shipment::end how, const auto& why, const attributes& there) {
    over(p, digest, how, why, there);
  });
}

// Read whole for its digest, which also has it in memory when it is sent. Nothing: it was settled.
std::optional<local_file> pusher::open(const parcel& p) {
  const auto refused = [&](int problem) {
    problem == ENOENT ? over(p, {}, shipment::end::there, {}, {})  // deleted here since
                      : over(p, {}, shipment::end::failed, local_failure(p.path, problem), {});
    return std::nullopt;
  };
  local_file f;
  f.file = migration_.where().open(p.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!f.file || ::fstat(f.file.get(), &f.as) != 0) return refused(errno);
  if (!S_ISREG(f.as.st_mode)) return refused(EINVAL);
  sha256 hash;
  std::vector<std::byte> buffer(256U << 10);
  ssize_t n = 0;
  while ((n = ::read(f.file.get(), buffer.data(), buffer.size())) > 0 && !stop_.stop_requested())
    hash.add(std::span(buffer).first(static_cast<std::size_t>(n)));
  if (n < 0) return refused(errno);
  if (stop_.stop_requested()) {
    over(p, {}, shipment::end::failed, failure{cause::cancelled, "interrupted"}, {});
    return std::nullopt;
  }
  f.sha256 = hash.result();
  const auto& row = p.row;
  if (p.replaces && !row.sha256.empty() && f.sha256 != row.sha256 && stands_for(f.as, *row.local)) {
    over(p, {}, shipment::end::failed, spoilt(p.path), {});
    return std::nullopt;
  }
  return f;
}

void pusher::send_link(parcel p) {
  auto& source = migration_.source();
  source.make_link(p.target, p.row.target, [this, p](const auto& why, const attributes& there) {
    if (!why) return over(p, {}, shipment::end::sent, {}, there);
    // Made before the answer was lost.
    const bool ours = p.losses > 0 && S_ISLNK(there.mode) && there.size == p.row.target.size();
    ours ? over(p, {}, shipment::end::there, {}, there) : over(p, {}, shipment::end::failed, why, {});
  });
}

void pusher::over(const parcel& p, const std::string& sha256, shipment::end how, const std::optional<failure>& why,
                  const attributes& there) {
  if (how == shipment::end::sent || how == shipment::end::there) {
    const std::lock_guard lock{mutex_};
    if (how == shipment::end::sent) {
      accepted_ = true;
      ++result_.files;
      result_.bytes += p.row.local->size;
      if (S_ISREG(there.mode) && shows_other(there, *p.row.local)) ++result_.other;
    } else if (there.mode != 0) {
      ++result_.there;
    }
  }
  if (there.mode != 0) return record(p, sha256, there);

  {
    const std::lock_guard lock{mutex_};
    parcel next = p;
    const bool again = how == shipment::end::changed
                           ? ++next.changes < most_changes
                           : why && why->why != cause::cancelled && why->of_connection() && ++next.losses < most_losses;
    if (again && stop_.stop_requested()) {
      interrupt();
    } else if (again) {
      again_.push_back(std::move(next));
      changed_.notify_all();
      return;
    } else if (how == shipment::end::changed) {
      count_refusal({cause::changed, fmt::format("{}: changes while it is sent; push again later", printable(p.path))});
    } else if (why) {
      count_refusal(*why);
    }
  }
  settle();
}

void pusher::record(const parcel& p, const std::string& sha256, const attributes& there) {
  file_facts source = side_of(there);
  if (S_ISREG(source.mode) && source.size == 0) source.size = p.row.local->size;  // not told, and proven
  migration_.index().post(
      [p = index::push_result{p.row, source, sha256}](index::transaction& t) { index::apply_push_result(t, p); },
      [this](std::exception_ptr failed) {
        if (failed) refuse({cause::local_error, "the index took no change"});
        settle();
      });
}

void pusher::settle() {
  const std::lock_guard lock{mutex_};
  --running_;
  changed_.notify_all();
}

void pusher::refuse(const failure& why) {
  const std::lock_guard lock{mutex_};
  count_refusal(why);
}

void pusher::count_refusal(const failure& why) {
  if (why.why == cause::cancelled) return interrupt();
  if (result_.refused++ == 0) result_.first_refusal = why.text;
  if (why.why == cause::permission) ++denied_;
}

// Something was left unsent because it is to end. Under the lock.
void pusher::interrupt() {
  if (result_.ended == push_result::end::done) result_.ended = push_result::end::interrupted;
}

bool pusher::is_over() {
  const std::lock_guard lock{mutex_};
  if (stop_.stop_requested()) interrupt();
  if (!accepted_ && denied_ >= denials_that_tell && denied_ == result_.refused)
    result_.ended = push_result::end::read_only;
  return result_.ended != push_result::end::done;
}

// False: it is over. Else one more may be sent, and is counted.
bool pusher::wait_for_room() {
  std::unique_lock lock{mutex_};
  while (running_ >= most_at_once || !again_.empty()) {
    if (again_.empty())
      changed_.wait(lock, stop_, [&] { return running_ < most_at_once || !again_.empty(); });
    else if (!resend(lock))
      return false;
    if (stop_.stop_requested()) {
      interrupt();
      return false;
    }
  }
  ++running_;
  return true;
}

bool pusher::resend(std::unique_lock<std::mutex>& lock) {
  parcel p = std::move(again_.front());
  again_.pop_front();
  lock.unlock();
  const bool reached = p.losses == 0 || wait_for_source();
  if (reached)
    send(std::move(p));
  else
    settle();
  lock.lock();
  return reached;
}

// False: it stays away, or it is to end.
bool pusher::wait_for_source() {
  const auto end = std::chrono::steady_clock::now() + 2 * migration_.setup().io_timeout;
  std::unique_lock lock{mutex_};
  while (!stop_.stop_requested()) {
    lock.unlock();
    const auto health = migration_.source().state();
    lock.lock();
    if (health.reachable) return true;
    if (std::chrono::steady_clock::now() > end) {
      result_.ended = push_result::end::lost;
      result_.why = health.why;
      return false;
    }
    changed_.wait_for(lock, stop_, 100ms, [] { return false; });
  }
  interrupt();
  return false;
}

void pusher::drain() {
  std::unique_lock lock{mutex_};
  while (running_ > 0) {
    changed_.wait(lock, [&] { return running_ == 0 || !again_.empty(); });
    if (again_.empty()) continue;
    if (result_.ended == push_result::end::done && !stop_.stop_requested()) {
      resend(lock);
    } else {
      interrupt();
      running_ -= again_.size();
      again_.clear();
    }
  }
}

void pusher::conclude() {
  const std::lock_guard lock{mutex_};
  if (result_.ended == push_result::end::done && !accepted_ && denied_ > 0 && denied_ == result_.refused)
    result_.ended = push_result::end::read_only;
  if (result_.ended == push_result::end::read_only)
    result_.why = fmt::format("{}; push needs an account that may write to the source", result_.first_refusal);
}

}  // namespace ferryfs::remote
