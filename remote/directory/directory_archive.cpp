#include "remote/directory/directory_archive.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>

#include "index/exception_barrier.hpp"
#include "index/path.hpp"
#include "remote/beneath.hpp"
#include "remote/digest/read_back.hpp"
#include "remote/directory/listing.hpp"
#include "remote/refused_kind.hpp"

namespace ferryfs::remote {
namespace {

attributes attributes_of(const struct stat& st) {
  return {st.st_mode, std::min(static_cast<std::uint64_t>(st.st_size), largest_size), st.st_mtim.tv_sec};
}

}  // namespace

directory_archive::directory_archive(std::string path) : root_path_(std::move(path)) {
  if (!open_root()) throw failed("", errno);
  for (const bool background_too : {true, true, false})
    threads_.emplace_back([this, background_too](const std::stop_token& stop) { work(stop, background_too); });
}

// Anew for each request: a disk that is mounted later, or away for a while, stands under the path and not under what
// was opened once.
unique_fd directory_archive::open_root() const {
  return unique_fd{::open(root_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

// Without the root nothing is known of what lies below it.
failure directory_archive::away(int problem) const {
  return {cause::unreachable, fmt::format("{}: {}", printable(root_path_), std::strerror(problem))};
}

std::optional<std::uint64_t> directory_archive::file_system() const {
  struct stat st {};
  const auto root = open_root();
  return root && ::fstat(root.get(), &st) == 0 ? std::optional<std::uint64_t>(st.st_dev) : std::nullopt;
}

void directory_archive::stop() {
  stopping_ = true;
  for (auto& t : threads_) t.request_stop();
  for (auto& t : threads_)
    if (t.joinable()) t.join();
  std::deque<job> left;
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    left = std::exchange(demand_, {});
    std::move(background_.begin(), background_.end(), std::back_inserter(left));
    background_.clear();
  }
  for (const auto& j : left)
    contain("end of a request", [&] { j.run(failure{cause::cancelled, "ferryfs is ending"}); });
}

failure directory_archive::failed(const std::string& path, int problem) const {
  const cause why = problem == ENOENT || problem == ENOTDIR                     ? cause::not_found
                    : problem == EACCES || problem == EPERM || problem == EROFS ? cause::permission
                    : problem == EEXIST                                         ? cause::exists
                                                                                : cause::source_error;
  return {why, fmt::format("{}: {}", printable(path.empty() ? root_path_ : root_path_ + '/' + path),
                           std::strerror(problem))};
}

void directory_archive::list(const std::string& path, std::shared_ptr<listing> to) {
  put({nullptr,
       [this, path, to = std::move(to)](const auto& refused) {
         if (refused) return to->finished(refused);
         std::optional<failure> why;
         if (const auto thrown = contain("a listing", [&] { why = list_now(path, *to); }))
           why = failure_of(thrown, printable(path));
         to->finished(why);
       }},
      lane::demand);
}

std::optional<failure> directory_archive::list_now(const std::string& path, listing& to) const {
  constexpr std::size_t batch_size = 512;
  std::vector<found> batch;
  std::string left_out;
  const auto root = open_root();
  if (!root) return away(errno);
  const int problem = list_directory(
      root.get(), path,
      [&](local_entry&& e) {
        const mode_t kind = e.attributes.st_mode & S_IFMT;
        if (is_refused_kind(kind)) return to.refused(std::move(e.name), why_refused(kind));
        batch.push_back({std::move(e.name), attributes_of(e.attributes), std::move(e.target)});
        if (batch.size() == batch_size) to.batch(std::exchange(batch, {}));
      },
      &left_out);
  if (!batch.empty()) to.batch(std::move(batch));
  if (problem == 0) return std::nullopt;
  return failed(left_out.empty() ? path : join(path, left_out), problem);
}

void directory_archive::stat(const std::string& path,
                             std::function<void(const std::optional<failure>&, const attributes&)> done) {
  put({nullptr,
       [this, path, done = std::move(done)](const auto& refused) {
         if (refused) return done(refused, {});
         struct stat st {};
         const auto root = open_root();
         if (!root) return done(away(errno), {});
         const unique_fd fd = open_beneath(root.get(), path, O_PATH | O_NOFOLLOW);
         if (!fd || ::fstat(fd.get(), &st) != 0) return done(failed(path, errno), {});
         done(std::nullopt, attributes_of(st));
       }},
      lane::demand);
}

void directory_archive::read(std::shared_ptr<reading> to, lane where) {
  put({to,
       [this, to](const auto& refused) {
         ending end{refused, {}};
         if (!refused)
           if (const auto thrown = contain("reading of a picture", [&] { end = read_now(*to); }))
             end = {failure_of(thrown, printable(to->path())), {}};
         to->finished(end.why, end.after);
       }},
      where);
}

directory_archive::ending directory_archive::read_now(reading& to) const {
  const auto root = open_root();
  if (!root) return {away(errno), {}};
  const unique_fd fd = open_beneath(root.get(), to.path(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return {failed(to.path(), errno), {}};
  constexpr std::uint32_t step = 1U << 20;
  std::vector<std::byte> buffer;
  while (true) {
    if (stopping_) return {failure{cause::cancelled, "ferryfs is ending"}, {}};
    const auto next = to.want(step);
    if (next.what == reading::wish::enough) break;
    if (next.what == reading::wish::later) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    buffer.resize(next.part.length);
    std::size_t have = 0;
    while (have < buffer.size()) {
      const ssize_t n =
          ::pread(fd.get(), buffer.data() + have, buffer.size() - have, static_cast<off_t>(next.part.offset + have));
      if (n < 0) return {failed(to.path(), errno), {}};
      if (n == 0 && next.part.beyond && have + 1 == buffer.size()) break;
      if (n == 0 && to.ends(next.part.offset + have)) break;
      if (n == 0) {
        struct stat now {};
        ::fstat(fd.get(), &now);
        return {failure{cause::changed, printable(to.path()) + ": became shorter on the source"}, attributes_of(now)};
      }
      have += static_cast<std::size_t>(n);
    }
    if (have > 0) to.arrived(next.part.offset, std::span(buffer).first(have));
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return {failed(to.path(), errno), {}};
  return {std::nullopt, attributes_of(st)};
}

void directory_archive::digest(const std::string& path, digested done) {
  digest_by_reading(*this, path, std::move(done));
}

void directory_archive::raise(const std::shared_ptr<reading>& which) {
  const std::lock_guard lock{mutex_};
  const auto at = std::find_if(background_.begin(), background_.end(), [&](const job& j) { return j.file == which; });
  if (at == background_.end()) return;
  demand_.push_front(std::move(*at));
  background_.erase(at);
  wake_.notify_all();
}

void directory_archive::put(job j, lane where) {
  {
    std::unique_lock lock{mutex_};
    if (stopped_) {
      lock.unlock();
      return j.run(failure{cause::cancelled, "ferryfs is ending"});
    }
    (where == lane::demand ? demand_ : background_).push_back(std::move(j));
  }
  wake_.notify_all();
}

void directory_archive::work(const std::stop_token& stop, bool background_too) {
  std::unique_lock lock{mutex_};
  while (wake_.wait(lock, stop, [&] { return !demand_.empty() || (background_too && !background_.empty()); })) {
    if (stop.stop_requested()) return;
    auto& line = demand_.empty() ? background_ : demand_;
    const job j = std::move(line.front());
    line.pop_front();
    lock.unlock();
    contain("end of a request", [&] { j.run(std::nullopt); });
    lock.lock();
  }
}

}  // namespace ferryfs::remote
