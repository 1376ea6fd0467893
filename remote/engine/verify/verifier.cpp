#include "remote/engine/verify/verifier.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <vector>

#include "index/base/exception_barrier.hpp"
#include "index/base/hex.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/query/set.hpp"
#include "index/update/verify_result.hpp"
#include "remote/engine/source_side.hpp"
#include "remote/files/sha256.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t threads = 2;
constexpr std::size_t most_queued = 64;  // pictures, each with its digest asked for on the source
constexpr std::size_t read_size = 1U << 20;

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string short_hex(const std::string& digest) { return to_hex(digest.substr(0, 4)) + "…"; }

bool is_as_known(const struct stat& st, const file_facts& known) {
  return static_cast<std::uint64_t>(st.st_size) == known.size && to_ns(st.st_mtim) == known.mtime;
}

struct running_flag {
  verify_progress& of;
  explicit running_flag(verify_progress& p) : of(p) { of.running = true; }
  ~running_flag() { of.running = false; }
};

// The source's answer for one picture, some time.
struct asked {
  std::mutex mutex;
  std::condition_variable come;
  bool is_over = false;
  std::optional<failure> why;
  std::string sha256;

  void end(const std::optional<failure>& failed, const std::string& digest) {
    const std::lock_guard lock{mutex};
    is_over = true, why = failed, sha256 = digest;
    come.notify_all();
  }
  void wait() {
    std::unique_lock lock{mutex};
    come.wait(lock, [&] { return is_over; });
  }
};

struct item {
  std::string path;
  entry row;
  std::string source_path;
  std::shared_ptr<asked> source;  // nothing: the source is not asked
};

class run {
 public:
  run(migration& m, bool with_source, const std::function<void(const std::string&)>& line, verify_progress& progress,
      const std::stop_token& stop)
      : m_(m), with_source_(with_source), suspicion_(m.suspicion()), line_(line), progress_(progress), stop_(stop) {
    for (std::size_t i = 0; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }

  ~run() { end(); }

  // Waits for room. False: to be stopped.
  bool add(const std::string& path, const entry& e, const std::string& source_path) {
    item one{path, e, source_path, nullptr};
    const bool compares = e.source && S_ISREG(e.source->mode) && (e.state == state::common || is_doubt(e.reason));
    if (with_source_ && compares && !suspicion_.empty()) {
      not_compared(suspicion_);
    } else if (with_source_ && compares) {
      one.source = std::make_shared<asked>();
      m_.source().digest(source_path, [a = one.source](const auto& why, const auto& sha256) { a->end(why, sha256); });
    }
    std::unique_lock lock{mutex_};
    room_.wait(lock, [&] { return queue_.size() < most_queued; });
    queue_.push_back(std::move(one));
    wake_.notify_one();
    return !stop_.stop_requested();
  }

  verified end() {
    {
      const std::lock_guard lock{mutex_};
      over_ = true;
    }
    wake_.notify_all();
    workers_.clear();
    return sum_;
  }

 private:
  void work() {
    std::vector<std::byte> buffer(read_size);
    while (true) {
      item one;
      {
        std::unique_lock lock{mutex_};
        wake_.wait(lock, [&] { return !queue_.empty() || over_; });
        if (queue_.empty()) return;
        one = std::move(queue_.front());
        queue_.pop_front();
      }
      room_.notify_one();
      if (stop_.stop_requested()) continue;
      if (const auto thrown = contain("verify", [&] { check(one, buffer); }))
        contain("verify", [&] { unsure(one, text_of(thrown)); });
    }
  }

  void check(const item& one, std::vector<std::byte>& buffer) {
    const unique_fd file = m_.where().open(one.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat st {};
    if (!file && errno == ENOENT) return gone(one);
    if (!file) return wrong(one, fmt::format("cannot be opened: {}", std::strerror(errno)));
    if (::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode) || !is_as_known(st, *one.row.local)) return changed(one);
    std::string digest;
    if (const int problem = read(file.get(), buffer, digest))
      return wrong(one, fmt::format("cannot be read: {}", std::strerror(problem)));
    if (::fstat(file.get(), &st) != 0 || !is_as_known(st, *one.row.local)) return changed(one);
    if (stop_.stop_requested()) return;
    judge(one, digest);
  }

  // 0 or errno. From the disk and not from the page cache, as far as that can be had, which it leaves as it was.
  int read(int fd, std::vector<std::byte>& buffer, std::string& digest) {
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    sha256 hash;
    ssize_t n = 0;
    off_t at = 0;
    while ((n = ::pread(fd, buffer.data(), buffer.size(), at)) > 0 && !stop_.stop_requested()) {
      hash.add(std::span(buffer).first(static_cast<std::size_t>(n)));
      at += n;
      progress_.bytes += static_cast<std::uint64_t>(n);
    }
    if (n < 0) return errno;
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    digest = hash.result();
    return 0;
  }

  void judge(const item& one, const std::string& digest) {
    std::string expected = one.row.sha256;
    const auto answer = one.source ? answer_of(one, digest) : std::nullopt;
    if (answer && answer->why) {
      if (!expected.empty() && expected != digest) return spoilt(one, digest, expected, "as it should be");
      return unsure(one, "not compared with the source: " + answer->why->text);
    }
    if (answer && answer->another) return unsure(one, "changed on the source; run ferryfs scan");
    if (answer) {
      expected = one.source->sha256;
      const bool as_known = one.row.sha256.empty() ? is_sound_here(one.row.reason) : one.row.sha256 == digest;
      if (expected != digest && as_known) return differs(one, digest, expected);
      if (expected != digest) return spoilt(one, digest, expected, "on the source");
    }
    if (!expected.empty() && expected != digest) return spoilt(one, digest, expected, "as it should be");
    const bool compared = answer.has_value();
    const bool news = one.row.sha256 != digest || is_doubt(one.row.reason) || (compared && !one.row.is_compared());
    if (news)
      m_.index().post([row = one.row, digest, compared](index::transaction& t) {
        const auto now = t.by_inode(row.ino);
        index::apply_sound_digest(t, row.ino, *row.local, digest, compared && now && now->source == row.source);
      });
    ++progress_.files;
    const std::lock_guard lock{sum_mutex_};
    ++sum_.files, sum_.bytes += one.row.local->size;
    sum_.stored += one.row.sha256.empty() ? 1 : 0;
    sum_.common += compared ? 1 : 0;
  }

  struct answered {
    std::optional<failure> why;  // the source's copy can't be had
    bool another = false;        // its file is not the one that the index knows: its digest says nothing of ours
  };
  // What the source says; nothing where it does not answer at all.
  std::optional<answered> answer_of(const item& one, const std::string& digest) {
    one.source->wait();
    answered a{one.source->why};
    if (!a.why && one.source->sha256 != digest) a = look_there(one);
    if (!a.why || !a.why->of_connection()) return a;
    not_compared(a.why->text);
    return std::nullopt;
  }

  void not_compared(const std::string& why) {
    const std::lock_guard lock{sum_mutex_};
    if (sum_.uncompared++ > 0) return;
    sum_.why_uncompared = why;
    spdlog::warn("verify: not compared with the source: {}", why);
  }

  answered look_there(const item& one) {
    std::promise<answered> end;
    m_.source().stat(one.source_path, [&](const std::optional<failure>& why, const attributes& a) {
      if (why && why->of_connection()) return end.set_value({why});
      end.set_value({std::nullopt, why || shows_another(*one.row.source, a, m_.where().times())});
    });
    return end.get_future().get();
  }

  void spoilt(const item& one, const std::string& digest, const std::string& expected, const char* where) {
    const std::string why =
        fmt::format("digest differs: {} here, {} {}", short_hex(digest), short_hex(expected), where);
    const bool still = m_.index().run([&](index::transaction& t) {
      index::apply_spoilt_digest(t, one.row.ino, *one.row.local, expected, why);
      const auto now = t.by_inode(one.row.ino);
      return now && now->local == one.row.local;
    });
    still ? wrong(one, why) : changed(one);
  }

  // Ours is proven, or was written here: the source's digest does not speak against it.
  void differs(const item& one, const std::string& digest, const std::string& theirs) {
    const bool still = m_.index().run(
        [&](index::transaction& t) { return index::apply_source_difference(t, one.row.ino, *one.row.local, digest); });
    const auto why = text_of(is_sound_here(one.row.reason) ? one.row.reason : reason::source_differs);
    still ? wrong(one, fmt::format("{}: {} here, {} there", why, short_hex(digest), short_hex(theirs))) : changed(one);
  }

  void gone(const item& one) {
    const shared_lock held{m_.where().namespace_lock()};
    const auto path = m_.readers().borrow()->path(one.row.ino);
    const auto now = m_.readers().borrow()->by_inode(one.row.ino);
    if (!path || !now || is_hidden(now->state)) return;  // removed through the mount
    if (m_.where().look(*path)) return changed(one);
    m_.index().run(
        [&](index::transaction& t) { index::apply_missing_file(t, one.row.ino, *one.row.local, now_seconds()); });
    wrong(one, "its file is gone from the destination");
  }

  void changed(const item& one) {
    unsure(one, "changed since it was last looked at; run ferryfs scan and verify again");
  }

  void wrong(const item& one, const std::string& why) {
    ++progress_.wrong;
    tell(one, why, sum_.wrong);
  }
  void unsure(const item& one, const std::string& why) { tell(one, why, sum_.unsure); }

  void tell(const item& one, const std::string& why, std::uint64_t& counted) {
    ++progress_.files;
    const std::string text = fmt::format("{}: {}", printable(one.path), why);
    spdlog::warn("verify: {}", text);
    const std::lock_guard lock{sum_mutex_};
    ++counted;
    line_(text);
  }

  migration& m_;
  const bool with_source_;
  const std::string suspicion_;  // why nothing follows from what the source shows now; empty: something does
  const std::function<void(const std::string&)>& line_;
  verify_progress& progress_;
  const std::stop_token stop_;
  std::mutex mutex_;  // of the queue
  std::condition_variable wake_, room_;
  std::deque<item> queue_;
  bool over_ = false;
  std::mutex sum_mutex_;  // also of `line_`
  verified sum_;
  std::vector<std::jthread> workers_;
};

}  // namespace

verified verify_below(migration& m, const std::string& path, verify_how how,
                      const std::function<void(const std::string&)>& line, verify_progress& progress,
                      const std::stop_token& stop) {
  verified sum;
  {
    const auto reader = m.readers().borrow();
    const auto all = path.empty() ? reader->totals().destination() : index::total{};
    progress.files = progress.bytes = progress.wrong = 0;
    progress.all_files = static_cast<std::uint64_t>(all.files);
    progress.all_bytes = static_cast<std::uint64_t>(all.local_bytes);
    const running_flag flag{progress};
    run r{m, how != verify_how::here, line, progress, stop};
    index::walk(*reader, index::set::destination, path, [&](const std::string& at, const entry& e) {
      if (!e.local || !S_ISREG(e.local->mode)) return true;
      if (how == verify_how::uncompared && (e.state != state::common || e.is_compared())) {
        ++progress.files, progress.bytes += e.local->size;
        return !stop.stop_requested();
      }
      return r.add(at, e, e.source ? m.readers().borrow()->source_path(e.ino).value_or(at) : "");
    });
    sum = r.end();
    sum.known = reader->at(path).has_value();
  }
  sum.complete = !stop.stop_requested();
  m.index().run([](index::transaction&) {});  // what was found is in the index
  return sum;
}

}  // namespace ferryfs::remote
