#include "tests/remote/fake_archive.hpp"

#include <sys/stat.h>
#include <utility>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "index/base/path.hpp"
#include "remote/files/sha256.hpp"

namespace ferryfs::test {

using remote::attributes;
using remote::cause;
using remote::directory_entry;
using remote::failure;
using remote::listing;
using remote::reading;
using remote::writing;

namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

const failure ending{cause::cancelled, "the fake ends"};

}  // namespace

fake_archive::fake_archive(std::size_t depth) : depth_(depth), thread_([this] { run(); }) {
  tree_[""] = {{S_IFDIR | 0755, 4096, long_ago}, ""};
}

void fake_archive::put(const std::string& path, node n) {
  const std::lock_guard lock{mutex_};
  for (std::string above = parent_of(path);; above = parent_of(above)) {
    tree_.try_emplace(above, node{{S_IFDIR | 0755, 4096, long_ago}, ""});
    if (above.empty()) break;
  }
  if (!tree_.contains(path) && !path.empty()) ++*tree_[parent_of(path)].attrs.mtime;
  tree_[path] = std::move(n);
}

void fake_archive::put_file(const std::string& path, std::string content, std::int64_t mtime, unsigned mode) {
  const attributes a{S_IFREG | mode, content.size(), mtime};
  put(path, {a, std::move(content)});
}

void fake_archive::put_directory(const std::string& path, std::int64_t mtime, unsigned mode) {
  put(path, {{S_IFDIR | mode, 4096, mtime}, ""});
}

void fake_archive::put_link(const std::string& path, std::string target) {
  const attributes a{S_IFLNK | 0777, target.size(), long_ago};
  put(path, {a, std::move(target)});
}

void fake_archive::remove(const std::string& path) { remove_now(path); }

void fake_archive::remove_now(const std::string& path) {
  const std::lock_guard lock{mutex_};
  std::erase_if(tree_, [&](const auto& n) { return n.first == path || n.first.starts_with(path + '/'); });
  ++*tree_[parent_of(path)].attrs.mtime;
}

void fake_archive::set_mtime(const std::string& path, std::int64_t mtime) {
  const std::lock_guard lock{mutex_};
  tree_.at(path).attrs.mtime = mtime;
}

attributes fake_archive::look(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  const bool itself = path == "." || path.ends_with("/.");
  const auto at = tree_.find(itself ? path.substr(0, path.size() - std::min<std::size_t>(path.size(), 2)) : path);
  return at == tree_.end() ? attributes{} : at->second.attrs;
}

void fake_archive::fail(const std::string& path, cause why, std::size_t after_names) {
  const std::lock_guard lock{mutex_};
  faults_[path] = {{why, path + ": the fake fails"}, after_names};
}

void fake_archive::deny(const std::string& path, cause why) {
  const std::lock_guard lock{mutex_};
  denied_[path] = why;
}

void fake_archive::mend(const std::string& path) {
  const std::lock_guard lock{mutex_};
  denied_.erase(path);
  faults_.erase(path);
  throws_.erase(path);
}

void fake_archive::throw_at(const std::string& path) {
  const std::lock_guard lock{mutex_};
  throws_.insert(path);
}

void fake_archive::check_taken(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  if (throws_.contains(path)) throw std::runtime_error(path + ": the fake throws");
}

void fake_archive::set_reachable(bool reachable) {
  std::unique_lock lock{mutex_};
  health_ = {reachable, reachable ? "" : "the fake is unreachable"};
  const auto listener = listener_;
  lock.unlock();
  if (listener) listener(state());
}

std::optional<fake_archive::fault> fake_archive::fault_of(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  const auto at = faults_.find(path);
  return at == faults_.end() ? std::nullopt : std::optional(at->second);
}

bool fake_archive::awaits(const std::string& path) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return held_.contains(path); });
}

std::shared_ptr<reading> fake_archive::at_hand(const std::string& path, bool take) {
  if (!awaits(path)) throw std::logic_error(path + ": no read was asked for");
  const std::lock_guard lock{mutex_};
  const auto at = held_.find(path);
  auto to = at->second;
  if (take) held_.erase(at);
  return to;
}

reading::next fake_archive::ask(const std::string& path, std::uint32_t at_most) {
  return at_hand(path, false)->next_range(at_most);
}

void fake_archive::answer(const std::string& path, std::uint64_t offset, std::uint32_t length) {
  hand_over(*at_hand(path, false), {offset, length, true});
}

// As a server does: what there is, and the end where more was asked for; but for one byte beyond it.
void fake_archive::hand_over(reading& to, const remote::range& part) {
  std::string bytes;
  {
    const std::lock_guard lock{mutex_};
    const auto& content = tree_.at(to.path()).content;
    bytes = content.substr(std::min<std::uint64_t>(part.offset, content.size()), part.length);
  }
  if (!bytes.empty()) to.arrived(part.offset, std::as_bytes(std::span(bytes)));
  const bool whole = bytes.size() + (part.beyond && !bytes.empty() ? 1 : 0) >= part.length;
  if (!whole) to.ends(part.offset + bytes.size());
}

void fake_archive::tell_size(const std::string& path, std::uint64_t size, bool listed) {
  const std::lock_guard lock{mutex_};
  sizes_told_[{path, listed}] = size;
}

attributes fake_archive::shown(const std::string& path, bool listed) const {
  attributes a = look(path);
  if (!S_ISREG(a.mode)) return a;
  if (sizes_ == sizes::unknown) a.size.reset();
  if (sizes_ == sizes::zero || (sizes_ == sizes::zero_but_listed && !listed)) a.size = 0;
  const std::lock_guard lock{mutex_};
  if (const auto at = sizes_told_.find({path, listed}); at != sizes_told_.end()) a.size = at->second;
  return a;
}

void fake_archive::answer_all(const std::string& path, std::uint32_t at_most) {
  for (auto next = ask(path, at_most); next.what != remote::next_step::done; next = ask(path, at_most)) {
    if (next.what == remote::next_step::more) hand_over(*at_hand(path, false), next.part);
  }
}

void fake_archive::finish(const std::string& path, std::optional<failure> why) {
  at_hand(path, true)->finished(why, why ? attributes{} : shown(path, false));
}

void fake_archive::finish_all(const std::string& path) {
  while (true) {
    {
      const std::lock_guard lock{mutex_};
      if (!held_.contains(path)) return;
    }
    serve(path);
  }
}

void fake_archive::serve(const std::string& path) {
  answer_all(path);
  finish(path);
}

std::vector<std::string> fake_archive::reads() const {
  const std::lock_guard lock{mutex_};
  return reads_;
}

std::vector<std::string> fake_archive::lists() const {
  const std::lock_guard lock{mutex_};
  return lists_;
}

std::vector<std::string> fake_archive::raised() const {
  const std::lock_guard lock{mutex_};
  return raised_;
}

std::size_t fake_archive::reads_of(const std::string& path) const {
  const auto all = reads();
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), path));
}

std::size_t fake_archive::lists_of(const std::string& path) const {
  const auto all = lists();
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), path));
}

void fake_archive::list(const std::string& path, std::shared_ptr<listing> to) {
  check_taken(path);
  {
    const std::lock_guard lock{mutex_};
    lists_.push_back(path);
  }
  post(
      [this, path, to = std::move(to)](const auto& refused) { refused ? to->finished(refused) : list_now(path, *to); });
}

// In batches of two, as a server does in its own size.
void fake_archive::list_now(const std::string& path, listing& to) {
  std::vector<directory_entry> all;
  bool is_there = false;
  {
    const std::lock_guard lock{mutex_};
    const auto self = tree_.find(path);
    is_there = self != tree_.end() && S_ISDIR(self->second.attrs.mode);
    const std::string below = path.empty() ? "" : path + '/';
    for (auto at = tree_.lower_bound(below); at != tree_.end() && at->first.starts_with(below); ++at)
      if (!at->first.empty() && parent_of(at->first) == path && !denied_.contains(at->first) &&
          !denied_.contains(at->first.substr(0, at->first.rfind('/') + 1) + "*"))
        all.push_back({name_of(at->first), at->second.attrs, S_ISLNK(at->second.attrs.mode) ? at->second.content : ""});
  }
  for (auto& f : all) f.attrs = shown(join(path, f.name), true);
  const auto wrong = fault_of(path);
  if (wrong) all.resize(std::min(all.size(), wrong->after_names));
  for (std::size_t i = 0; i < all.size(); i += 2)
    to.batch({all.begin() + static_cast<std::ptrdiff_t>(i),
              all.begin() + static_cast<std::ptrdiff_t>(std::min(i + 2, all.size()))});
  if (wrong) return to.finished(wrong->why);
  to.finished(is_there ? std::nullopt : std::optional(failure{cause::not_found, path + ": not there"}));
}

void fake_archive::stat(const std::string& path,
                        std::function<void(const std::optional<failure>&, const attributes&)> done) {
  check_taken(path);
  post([this, path, done = std::move(done)](const auto& refused) {
    if (refused) return done(refused, {});
    const auto wrong = fault_of(path);
    if (wrong && wrong->why.of_connection()) return done(wrong->why, {});
    {
      std::unique_lock lock{mutex_};
      // "d/*": the directory d can be read and not be entered.
      for (const auto& name : {path, path.substr(0, path.rfind('/') + 1) + "*"})
        if (const auto denied = denied_.find(name); denied != denied_.end())
          return lock.unlock(), done(failure{denied->second, path + ": the fake can't look"}, {});
    }
    const auto a = shown(path, false);
    done(a.mode != 0 ? std::nullopt : std::optional(failure{cause::not_found, path + ": not there"}), a);
  });
}

void fake_archive::read(std::shared_ptr<reading> to, remote::priority) {
  const std::string path = to->path();
  check_taken(path);
  {
    const std::lock_guard lock{mutex_};
    reads_.push_back(path);
    if (holds_ && !stopped_) {
      held_.emplace(path, std::move(to));
      changed_.notify_all();
      return;
    }
  }
  changed_.notify_all();
  post([this, to = std::move(to)](const auto& refused) { refused ? to->finished(refused, {}) : read_now(to); });
}

void fake_archive::read_now(const std::shared_ptr<reading>& to) {
  const std::string path = to->path();
  if (const auto wrong = fault_of(path)) return to->finished(wrong->why, {});
  const auto next = to->next_range(64U << 10);
  if (next.what == remote::next_step::done) return to->finished(std::nullopt, shown(path, false));
  if (next.what == remote::next_step::throttled) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } else {
    hand_over(*to, next.part);
  }
  post([this, to](const auto& refused) { refused ? to->finished(refused, {}) : read_now(to); });
}

// From the tree, and counted as no read.
void fake_archive::digest(const std::string& path, digest_callback done) {
  post([this, path, done = std::move(done)](const auto& refused) {
    if (refused) return done(refused, {});
    if (const auto wrong = fault_of(path)) return done(wrong->why, {});
    std::unique_lock lock{mutex_};
    const auto at = tree_.find(path);
    const bool is_file = at != tree_.end() && S_ISREG(at->second.attrs.mode);
    remote::sha256 hash;
    if (is_file) hash.add(std::as_bytes(std::span(at->second.content)));
    lock.unlock();
    if (!is_file) return done(failure{cause::not_found, path + ": no file there"}, {});
    done(std::nullopt, hash.result());
  });
}

void fake_archive::promote(const std::shared_ptr<reading>& which) {
  const std::lock_guard lock{mutex_};
  raised_.push_back(which->path());
}

void fake_archive::before(const std::string& path, std::function<void()> call) {
  const std::lock_guard lock{mutex_};
  before_[path] = std::move(call);
}

std::optional<std::string> fake_archive::content(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  const auto at = tree_.find(path);
  return at == tree_.end() ? std::nullopt : std::optional(at->second.content);
}

std::vector<std::string> fake_archive::names() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> all;
  for (const auto& [path, n] : tree_)
    if (!path.empty()) all.push_back(path);
  return all;
}

void fake_archive::write(std::shared_ptr<writing> from) {
  post(
      [this, from = std::move(from)](const auto& refused) { refused ? from->finished(refused, {}) : write_now(from); });
}

void fake_archive::write_now(const std::shared_ptr<writing>& from) {
  const std::string path = from->path();
  call_before(path);
  if (const auto wrong = fault_of(path)) return from->finished(wrong->why, {});
  if (look(parent_of(path)).mode == 0) return from->finished(failure{cause::not_found, path + ": no directory"}, {});
  std::string content = this->content(path).value_or("");
  content.resize(from->begin(content.size()));
  std::vector<std::byte> bytes;
  for (auto next = from->next_bytes(4, bytes); next.what != remote::next_step::done;
       next = from->next_bytes(4, bytes)) {
    content.resize(std::max<std::size_t>(content.size(), next.offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(content.data()) + next.offset);
    bytes.clear();
    put(path, {{S_IFREG | 0600, content.size(), long_ago}, content});  // as far as it came
    if (const auto wrong = fault_of(path)) return from->finished(wrong->why, {});
  }
  const auto wanted = from->final_attributes();
  {
    const std::lock_guard lock{mutex_};
    if (spoilt_.contains(path) && !content.empty()) content.back() ^= 1;
  }
  put(path, {{S_IFREG | (wanted.mode & 07777), content.size(), wanted.mtime}, content});
  from->finished(std::nullopt, shown(path, false));
}

void fake_archive::spoil(const std::string& path) {
  const std::lock_guard lock{mutex_};
  spoilt_.insert(path);
}

void fake_archive::call_before(const std::string& path) {
  std::unique_lock lock{mutex_};
  const auto call = std::exchange(before_[path], nullptr);
  lock.unlock();
  if (call) call();
}

void fake_archive::change(const std::string& path, change_callback done, std::function<std::optional<failure>()> make) {
  post([this, path, done = std::move(done), make = std::move(make)](const auto& refused) {
    if (refused) return done(refused, {});
    call_before(path);
    if (const auto wrong = fault_of(path)) return done(wrong->why, {});
    const auto why = make();
    done(why, look(path));
  });
}

void fake_archive::make_directory(const std::string& path, std::uint32_t mode, change_callback done) {
  change(path, std::move(done), [this, path, mode]() -> std::optional<failure> {
    if (look(path).mode != 0) return failure{cause::exists, path + ": is there"};
    put_directory(path, long_ago, mode);
    return std::nullopt;
  });
}

void fake_archive::make_link(const std::string& path, const std::string& target, change_callback done) {
  change(path, std::move(done), [this, path, target]() -> std::optional<failure> {
    if (look(path).mode != 0) return failure{cause::exists, path + ": is there"};
    put_link(path, target);
    return std::nullopt;
  });
}

void fake_archive::rename(const std::string& from, const std::string& to, bool replace, change_callback done) {
  change(to, std::move(done), [this, from, to, replace]() -> std::optional<failure> {
    if (!replace && look(to).mode != 0) return failure{cause::exists, to + ": is there"};
    const auto a = look(from);
    if (a.mode == 0) return failure{cause::not_found, from + ": not there"};
    put(to, {a, *content(from)});
    remove_now(from);
    return std::nullopt;
  });
}

void fake_archive::remove(const std::string& path, change_callback done) {
  change(path, std::move(done), [this, path]() -> std::optional<failure> {
    if (look(path).mode == 0) return failure{cause::not_found, path + ": not there"};
    remove_now(path);
    return std::nullopt;
  });
}

remote::archive::health fake_archive::state() const {
  const std::lock_guard lock{mutex_};
  return health_;
}

void fake_archive::set_listener(std::function<void(const health&)> listener) {
  const std::lock_guard lock{mutex_};
  listener_ = std::move(listener);
}

void fake_archive::post(job j) {
  {
    const std::lock_guard lock{mutex_};
    if (!stopped_) {
      jobs_.push_back(std::move(j));
      changed_.notify_all();
      return;
    }
  }
  j(ending);
}

void fake_archive::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    const job j = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    j(std::nullopt);
    lock.lock();
  }
}

void fake_archive::stop() {
  if (!thread_.joinable()) return;
  std::deque<job> left;
  std::multimap<std::string, std::shared_ptr<reading>> held;
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    changed_.notify_all();
  }
  thread_.join();
  {
    const std::lock_guard lock{mutex_};
    left = std::exchange(jobs_, {});
    held = std::exchange(held_, {});
  }
  for (const auto& j : left) j(ending);
  for (const auto& [path, to] : held) to->finished(ending, {});
}

}  // namespace ferryfs::test
