#include "tests/simulation/server_archive.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "index/base/clock.hpp"
#include "remote/files/sha256.hpp"

namespace ferryfs::test {

using remote::attributes;
using remote::cause;
using remote::failure;
using remote::next_step;
using namespace std::chrono_literals;

namespace {

constexpr auto longest_delay = 300ms;
constexpr std::size_t batch_size = 3;
constexpr std::uint32_t largest_range = 200;  // bytes
constexpr std::size_t most_requested = 4;     // ranges of one file

attributes attributes_of(const old_server::node& n) {
  return {(n.is_directory ? S_IFDIR : S_IFREG) | n.mode, n.is_directory ? 4096 : n.content.size(), n.mtime};
}

// "d/." is d.
std::string without_dot(const std::string& path) {
  if (path == ".") return "";
  return path.ends_with("/.") ? path.substr(0, path.size() - 2) : path;
}

failure not_there(const std::string& path) { return {cause::not_found, path + ": not there"}; }

}  // namespace

struct server_archive::open_listing {
  std::string path;
  std::shared_ptr<remote::listing> to;
  bool begun = false;
  std::vector<std::string> names = {};  // still to be told, as they were when it was opened
};

struct server_archive::transfer {
  std::shared_ptr<remote::reading> to;
  old_server::node_pointer file = nullptr;
  std::vector<remote::range> requested = {};
  bool wants_more = true;
};

server_archive::server_archive(const old_server& server, std::uint64_t seed, trace& log)
    : server_(server),
      trace_(log),
      dice_(seed),
      health_{server.is_connected, server.is_connected ? "" : "the network is away"},
      one_("connection", [this](const std::stop_token& s) { run(s); }),
      other_("connection", [this](const std::stop_token& s) { run(s); }) {}

server_archive::~server_archive() { stop(); }

// What comes after stop() ends at once.
void server_archive::post(std::chrono::microseconds delay, step next) {
  bool stopped = false;
  {
    const lock held{mutex_};
    stopped = stopped_;
    if (!stopped) steps_.emplace(steady_now() + delay, std::move(next));
  }
  stopped ? next(trouble(false)) : wake_.notify_all();
}

void server_archive::post(step next) {
  std::chrono::microseconds delay;
  {
    const lock held{mutex_};
    delay = dice_.up_to(longest_delay);
  }
  post(delay, std::move(next));
}

void server_archive::run(const std::stop_token& stop) {
  lock held{mutex_};
  while (true) {
    if (steps_.empty()) {
      if (!wake_.wait(held, stop, [&] { return !steps_.empty(); })) return;
      continue;
    }
    const auto first = steps_.begin();
    if (const auto due = first->first; due > steady_now()) {
      wake_.wait_until(held, due);
      continue;
    }
    const auto next = std::move(first->second);
    steps_.erase(first);
    held.unlock();
    next(trouble(true));
    held.relock();
  }
}

std::optional<failure> server_archive::trouble(bool may_fail) {
  const lock held{mutex_};
  if (stopped_) return failure{cause::cancelled, "the archive is stopped"};
  if (!server_.is_connected) return failure{cause::unreachable, "the network is away"};
  if (!may_fail || server_.fails_one_in == 0 || !dice_.one_in(server_.fails_one_in)) return std::nullopt;
  if (dice_.one_in(2)) return failure{cause::timeout, "no answer"};
  return failure{dice_.one_in(2) ? cause::source_error : cause::permission, "the server fails"};
}

void server_archive::on_connection() {
  post(0us, [this](const auto&) {
    std::function<void(const health&)> call;
    health now;
    {
      const lock held{mutex_};
      if (health_.reachable == server_.is_connected || stopped_) return;
      health_ = {server_.is_connected, server_.is_connected ? "" : "the network is away"};
      call = listener_, now = health_;
    }
    if (call) call(now);
  });
}

server_archive::health server_archive::state() const {
  const lock held{mutex_};
  return health_;
}

void server_archive::set_listener(std::function<void(const health&)> on_change) {
  const lock held{mutex_};
  listener_ = std::move(on_change);
}

void server_archive::stop() {
  {
    const lock held{mutex_};
    stopped_ = true;
    std::multimap<scheduler::steady_time, step> now;
    for (auto& [due, next] : steps_) now.emplace(scheduler::steady_time{}, std::move(next));
    steps_ = std::move(now);
  }
  wake_.notify_all();
  for (thread* t : {&one_, &other_}) t->request_stop(), t->join();
}

void server_archive::list(const std::string& path, std::shared_ptr<remote::listing> to) {
  const auto l = std::make_shared<open_listing>(open_listing{path, std::move(to)});
  post([this, l](const auto& why) { why ? l->to->finished(why) : go_on(l); });
}

// A name that came since it was opened is told or not; one that stayed is told once.
void server_archive::go_on(const std::shared_ptr<open_listing>& l) {
  if (!std::exchange(l->begun, true)) {
    const auto directory = server_.find(l->path);
    if (!directory || !directory->is_directory) return l->to->finished(not_there(l->path));
    for (const auto& [path, n] : server_.tree())
      if (!path.empty() && parent_path(path) == l->path) l->names.push_back(last_name(path));
    const lock held{mutex_};
    std::shuffle(l->names.begin(), l->names.end(), dice_.engine());
  }
  if (l->names.empty()) return l->to->finished(std::nullopt);
  std::vector<remote::directory_entry> some;
  while (!l->names.empty() && some.size() < batch_size) {
    const std::string name = std::move(l->names.back());
    l->names.pop_back();
    const auto n = server_.find(l->path.empty() ? name : l->path + '/' + name);
    if (n) some.push_back({name, attributes_of(*n), ""});
  }
  trace_.add("listed " + l->path + ": " + std::to_string(some.size()));
  if (!some.empty()) l->to->batch(std::move(some));
  post([this, l](const auto& why) { why ? l->to->finished(why) : go_on(l); });
}

void server_archive::stat(const std::string& path,
                          std::function<void(const std::optional<failure>&, const attributes&)> done) {
  post([this, path, done = std::move(done)](const auto& why) {
    if (why) return done(why, {});
    const auto n = server_.find(without_dot(path));
    trace_.add("looked at " + path + (n ? "" : ": not there"));
    n ? done(std::nullopt, attributes_of(*n)) : done(not_there(path), {});
  });
}

void server_archive::read(std::shared_ptr<remote::reading> to, remote::priority) {
  const auto t = std::make_shared<transfer>(transfer{std::move(to)});
  post([this, t](const auto& why) {
    if (why) return t->to->finished(why, {});
    t->file = server_.find(t->to->path());
    trace_.add("opened " + t->to->path() + (t->file ? "" : ": not there"));
    if (!t->file || t->file->is_directory) return t->to->finished(not_there(t->to->path()), {});
    go_on(t);
  });
}

void server_archive::go_on(const std::shared_ptr<transfer>& t) {
  std::chrono::microseconds delay;
  bool answers = false;
  {
    const lock held{mutex_};
    delay = dice_.up_to(longest_delay);
    answers = !t->requested.empty() && (t->requested.size() >= most_requested || dice_.one_in(2));
  }
  if (t->wants_more && !answers) {
    const auto next = t->to->next_range(largest_range);
    if (next.what == next_step::more)
      t->requested.push_back(next.part);
    else if (next.what == next_step::throttled)
      delay = 10ms;
    else
      t->wants_more = false;
  } else if (!t->requested.empty()) {
    answer_one(*t);
    t->wants_more = true;
  }
  if (!t->wants_more && t->requested.empty()) return t->to->finished(std::nullopt, attributes_of(*t->file));
  post(delay, [this, t](const auto& why) { why ? t->to->finished(why, {}) : go_on(t); });
}

// As a server does: what there is, and the end where more was asked for; but for one byte beyond it.
void server_archive::answer_one(transfer& t) {
  std::size_t which;
  {
    const lock held{mutex_};
    which = dice_.below(t.requested.size());
  }
  const auto part = t.requested[which];
  t.requested.erase(t.requested.begin() + static_cast<std::ptrdiff_t>(which));
  const auto& content = t.file->content;
  const auto from = std::min<std::uint64_t>(part.offset, content.size());
  const std::string bytes = content.substr(from, part.length);
  trace_.add("read " + t.to->path() + ' ' + std::to_string(part.offset) + '+' + std::to_string(bytes.size()));
  if (!bytes.empty()) t.to->arrived(part.offset, std::as_bytes(std::span(bytes)));
  const bool whole = bytes.size() + (part.beyond && !bytes.empty() ? 1 : 0) >= part.length;
  if (!whole) t.to->ends(part.offset + bytes.size());
}

void server_archive::digest(const std::string& path, digest_callback done) {
  post([this, path, done = std::move(done)](const auto& why) {
    if (why) return done(why, {});
    const auto n = server_.find(path);
    if (!n || n->is_directory) return done(not_there(path), {});
    remote::sha256 hash;
    hash.add(std::as_bytes(std::span(n->content)));
    done(std::nullopt, hash.result());
  });
}

void server_archive::refuse(change_callback done) {
  post([done = std::move(done)](const auto& why) {
    done(why ? why : std::optional(failure{cause::permission, "the server takes nothing"}), {});
  });
}

void server_archive::write(std::shared_ptr<remote::writing> from) {
  refuse([from = std::move(from)](const auto& why, const auto& after) { from->finished(why, after); });
}
void server_archive::make_directory(const std::string&, std::uint32_t, change_callback done) {
  refuse(std::move(done));
}
void server_archive::make_link(const std::string&, const std::string&, change_callback done) {
  refuse(std::move(done));
}
void server_archive::rename(const std::string&, const std::string&, bool, change_callback done) {
  refuse(std::move(done));
}
void server_archive::remove(const std::string&, change_callback done) { refuse(std::move(done)); }

}  // namespace ferryfs::test
