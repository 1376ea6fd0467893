#include "remote/engine/fetch/committer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "index/base/disk.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/update/fetch_result.hpp"
#include "remote/destination/make_directories.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t batch_bytes = 64U << 20;
constexpr std::size_t batch_files = 4000;
constexpr auto batch_time = 1s;
constexpr std::size_t placed_at_once = 64;

}  // namespace

committer::committer(const destination& where, index::writer& index, index::readers& readers,
                     serial_executor& callbacks, listener on_end)
    : where_(where),
      index_(index),
      readers_(readers),
      callbacks_(callbacks),
      on_end_(std::move(on_end)),
      placer_(where, readers),
      thread_("committer", [this](const std::stop_token&) { run(); }) {}

committer::~committer() {
  {
    const lock held{mutex_};
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void committer::add(std::shared_ptr<picture_fetch> p) {
  bool news = false;
  {
    const lock held{mutex_};
    ready_bytes_ += p->size();
    ready_.push_back(std::move(p));
    news = ready_.size() == 1 || is_full();
  }
  if (news) wake_.notify_all();
}

bool committer::is_full() const { return ready_bytes_ >= batch_bytes || ready_.size() >= batch_files; }

void committer::flush() {
  {
    const lock held{mutex_};
    flush_ = true;
  }
  wake_.notify_all();
}

void committer::run() {
  lock held{mutex_};
  while (true) {
    wake_.wait(held, [&]() REQUIRES(mutex_) { return !ready_.empty() || stop_; });
    if (ready_.empty()) return;
    wake_.wait_for(held, batch_time, [&]() REQUIRES(mutex_) { return stop_ || flush_ || is_full(); });
    auto batch = std::exchange(ready_, {});
    ready_bytes_ = 0;
    flush_ = false;
    held.unlock();
    commit_batch(std::move(batch));
    held.relock();
  }
}

void committer::commit_batch(std::vector<std::shared_ptr<picture_fetch>> batch) {
  // Each directory is opened once, and its names are added together.
  std::stable_sort(batch.begin(), batch.end(),
                   [](const auto& a, const auto& b) { return a->row().parent < b->row().parent; });
  place_all(batch, where_.sync());
  commit_cross_device();
}

void committer::place_all(pictures all, int problem) {
  for (auto rest = all; !rest.empty(); rest = rest.subspan(std::min(rest.size(), placed_at_once)))
    place_some(rest.first(std::min(rest.size(), placed_at_once)), problem);
}

// A directory of the destination that is on another file system, by a mount or as a subvolume, gets no file of ours by
// a rename: the bytes are copied there, without keeping anybody from changing names, made durable, and then named.
void committer::commit_cross_device() {
  const auto some = std::exchange(cross_device_, {});
  std::map<dev_t, unique_fd> systems;
  std::vector<std::shared_ptr<picture_fetch>> carried;
  for (const auto& p : some) {
    if (const int problem = carry(*p, systems)) {
      where_.remove_partial(p->row().ino);
      end(p, failure{cause::misplaced,
                     fmt::format("{}: cannot be copied to the file system of its directory, which is another one "
                                 "than the destination's: {}",
                                 printable(p->path()), std::strerror(problem))});
    } else {
      carried.push_back(p);
    }
  }
  int problem = 0;
  for (const auto& [device, directory] : systems)
    if (problem == 0 && disk().syncfs(directory.get()) != 0) problem = errno;
  place_all(carried, problem);
}

// 0 or errno. Adds to `systems` what is to be made durable.
int committer::carry(const picture_fetch& p, std::map<dev_t, unique_fd>& systems) {
  std::optional<std::string> path;
  {
    const auto reader = readers_.borrow();
    if (const auto now = reader->by_inode(p.row().ino)) path = reader->path(now->parent);
  }
  if (!path) return ENOENT;
  unique_fd directory = where_.open(*path, O_RDONLY | O_DIRECTORY);
  struct stat st {};
  if (!directory || disk().fstat(directory.get(), &st) != 0) return errno;
  const int problem = where_.carry_partial(p.row().ino, directory);
  if (problem == 0) systems.try_emplace(st.st_dev, std::move(directory));
  return problem;
}

// A few at a time, so that a thread that renames or deletes through the mount waits for no whole batch.
void committer::place_some(pictures some, int problem) {
  std::vector<std::shared_ptr<picture_fetch>> placed;
  std::vector<std::string> made;
  const exclusive_lock held{where_.namespace_lock()};
  for (auto& p : some) {
    placer::placement result;
    if (problem != 0)
      result.why = local_failure(p->path(), "cannot be made durable", problem);
    else if (const auto thrown = contain("commit of a picture", [&] { result = placer_.place(*p, made); }))
      result = {failure_of(thrown, printable(p->path()))};
    if (result.is_cross_device) {
      cross_device_.push_back(std::move(p));
    } else if (!result.why) {
      placed.push_back(std::move(p));
    } else {
      where_.remove_partial(p->row().ino);
      // A reader that is answered looks at the index, which has learnt then what stands there.
      if (result.index_update)
        index_.post(std::move(result.index_update), [this, p, why = *result.why](std::exception_ptr) { end(p, why); });
      else
        end(p, result.why);
    }
  }
  placer_.close_directory();
  record(std::move(placed), std::move(made));
}

void committer::record(std::vector<std::shared_ptr<picture_fetch>> batch, std::vector<std::string> made) {
  if (batch.empty() && made.empty()) return;
  auto shared = std::make_shared<const std::vector<std::shared_ptr<picture_fetch>>>(std::move(batch));
  index_.post(
      [shared, made = std::move(made)](index::transaction& t) {
        record_directories(t, made);
        for (const auto& p : *shared) {
          const entry& row = p->row();
          index::apply_arrival(t, {row.ino, row.parent, row.name, p->local_facts(), p->sha256(), p->source_facts()});
        }
      },
      [this, shared](const std::exception_ptr& thrown) {
        callbacks_.post([this, shared, thrown] {
          for (const auto& p : *shared)
            on_end_(
                p, thrown ? std::optional(failure_of(thrown, printable(p->path()) + ": the index could not be changed"))
                          : std::nullopt);
        });
      });
}

void committer::end(const std::shared_ptr<picture_fetch>& p, std::optional<failure> why) {
  callbacks_.post([this, p, why = std::move(why)] { on_end_(p, why); });
}

}  // namespace ferryfs::remote
