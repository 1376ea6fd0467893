#include "remote/engine/fetch/landing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "index/base/background.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/files/list_directory.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t batch_bytes = 64U << 20;
constexpr std::size_t batch_files = 4000;
constexpr auto batch_time = 1s;
constexpr std::size_t named_at_once = 64;

// Another name that this file system takes for the same stands there.
constexpr int look_alike_there = ENOTUNIQ;

failure local_failure(const std::string& path, const char* doing, int problem) {
  return {is_of_disk(problem) ? cause::local_error : cause::misplaced,
          fmt::format("{}: {}: {}", printable(path), doing, std::strerror(problem))};
}

}  // namespace

int make_directories(const destination& where, index::reader& rows, const std::string& path,
                     std::vector<std::string>& made) {
  for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    const std::string step = path.substr(0, slash);
    const auto [parent, name] = open_parent(where.root(), step);
    if (!parent) return errno;
    const int problem = where.make_directory(parent.get(), name, [&] {
      const auto row = rows.at(step);
      return row ? row->shown().mode : S_IFDIR | 0700U;
    });
    if (problem == 0) {
      made.push_back(step);
    } else if (problem != EEXIST) {
      return problem;
    } else if (where.is_look_alike(parent.get(), name)) {
      return look_alike_there;
    } else if (slash == std::string::npos) {
      struct stat st {};
      const bool there = ::fstatat(parent.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
      return there && !S_ISDIR(st.st_mode) ? EEXIST : 0;
    }
    if (slash == std::string::npos) return 0;
  }
}

std::optional<std::string> look_alike_text(const destination& where, const std::string& path) {
  const auto other = where.look_alike(path);
  if (!other) return std::nullopt;
  return fmt::format(
      "{}: the destination's file system takes this name for that of {}, which stands there; rename one "
      "of them on the source, or take a destination that tells them apart",
      printable(path), printable(*other));
}

landing::landing(const destination& where, index::writer& index, index::readers& readers, serial_executor& callbacks,
                 told landed)
    : where_(where),
      index_(index),
      readers_(readers),
      callbacks_(callbacks),
      landed_(std::move(landed)),
      thread_([this] {
        take_long_turns();
        run();
      }) {}

landing::~landing() {
  {
    const std::lock_guard lock{mutex_};
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void landing::add(std::shared_ptr<picture> p) {
  bool news = false;
  {
    const std::lock_guard lock{mutex_};
    ready_bytes_ += p->size();
    ready_.push_back(std::move(p));
    news = ready_.size() == 1 || is_full();
  }
  if (news) wake_.notify_all();
}

bool landing::is_full() const { return ready_bytes_ >= batch_bytes || ready_.size() >= batch_files; }

void landing::flush() {
  {
    const std::lock_guard lock{mutex_};
    flush_ = true;
  }
  wake_.notify_all();
}

void landing::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    wake_.wait(lock, [&] { return !ready_.empty() || stop_; });
    if (ready_.empty()) return;
    wake_.wait_for(lock, batch_time, [&] { return stop_ || flush_ || is_full(); });
    auto batch = std::exchange(ready_, {});
    ready_bytes_ = 0;
    flush_ = false;
    lock.unlock();
    land(std::move(batch));
    lock.lock();
  }
}

void landing::land(std::vector<std::shared_ptr<picture>> batch) {
  // Each directory is opened once, and its names are added together.
  std::stable_sort(batch.begin(), batch.end(),
                   [](const auto& a, const auto& b) { return a->row().parent < b->row().parent; });
  name_all(batch, where_.sync());
  land_elsewhere();
}

void landing::name_all(std::span<std::shared_ptr<picture>> all, int problem) {
  for (auto rest = all; !rest.empty(); rest = rest.subspan(std::min(rest.size(), named_at_once)))
    name_some(rest.first(std::min(rest.size(), named_at_once)), problem);
}

// What is inside the destination and on another file system, by a mount or as a subvolume, gets no file of ours by a
// rename: the bytes are copied there, without keeping anybody from changing names, made durable, and then named.
void landing::land_elsewhere() {
  const auto some = std::exchange(elsewhere_, {});
  std::map<dev_t, unique_fd> systems;
  std::vector<std::shared_ptr<picture>> carried;
  for (const auto& p : some) {
    if (const int problem = carry(*p, systems)) {
      where_.remove_partial(p->row().ino);
      tell(p, failure{cause::misplaced,
                      fmt::format("{}: cannot be copied to the file system of its directory, which is another one "
                                  "than the destination's: {}",
                                  printable(p->path()), std::strerror(problem))});
    } else {
      carried.push_back(p);
    }
  }
  int problem = 0;
  for (const auto& [device, directory] : systems)
    if (problem == 0 && ::syncfs(directory.get()) != 0) problem = errno;
  name_all(carried, problem);
}

// 0 or errno. Adds to `systems` what is to be made durable.
int landing::carry(const picture& p, std::map<dev_t, unique_fd>& systems) {
  std::optional<std::string> path;
  {
    const auto reader = readers_.borrow();
    if (const auto now = reader->by_inode(p.row().ino)) path = reader->path(now->parent);
  }
  if (!path) return ENOENT;
  unique_fd directory = where_.open(*path, O_RDONLY | O_DIRECTORY);
  struct stat st {};
  if (!directory || ::fstat(directory.get(), &st) != 0) return errno;
  const int problem = where_.carry_partial(p.row().ino, directory);
  if (problem == 0) systems.try_emplace(st.st_dev, std::move(directory));
  return problem;
}

// A few at a time, so that somebody who renames or deletes through the mount waits for no whole batch.
void landing::name_some(std::span<std::shared_ptr<picture>> some, int problem) {
  std::vector<std::shared_ptr<picture>> named;
  std::vector<std::string> made;
  const std::lock_guard lock{where_.names()};
  for (auto& p : some) {
    naming result;
    if (problem != 0)
      result.why = local_failure(p->path(), "cannot be made durable", problem);
    else if (const auto thrown = contain("landing", [&] { result = name(*p, made); }))
      result = {failure_of(thrown, printable(p->path()))};
    if (result.across) {
      elsewhere_.push_back(std::move(p));
    } else if (!result.why) {
      named.push_back(std::move(p));
    } else {
      where_.remove_partial(p->row().ino);
      // Whoever is told looks at the index, which has learnt then what stands there.
      if (result.learnt)
        index_.post(std::move(result.learnt), [this, p, why = *result.why](std::exception_ptr) { tell(p, why); });
      else
        tell(p, result.why);
    }
  }
  directory_.reset();  // it may be moved, or what is mounted there be taken off
  record(std::move(named), std::move(made));
}

int landing::open_directory(inode ino, std::vector<std::string>& made) {
  if (directory_ && directory_ino_ == ino) return 0;
  const auto path = readers_.borrow()->path(ino);
  if (!path) return ESTALE;
  directory_ = open_beneath(where_.root(), *path, O_PATH | O_DIRECTORY);
  if (!directory_ && errno == ENOENT) {
    if (const int problem = make_directories(where_, *readers_.borrow(), *path, made)) return problem;
    directory_ = open_beneath(where_.root(), *path, O_PATH | O_DIRECTORY);
  }
  directory_ino_ = ino;
  if (!directory_) return errno;
  if (!where_.look_alike(*path)) return 0;
  directory_.reset();
  return look_alike_there;
}

landing::naming landing::name(picture& p, std::vector<std::string>& made) {
  std::optional<entry> now = p.row();
  if (p.begun_at() != where_.changes()) now = readers_.borrow()->by_inode(p.row().ino);
  if (!now || is_hidden(now->state))
    return {failure{cause::cancelled, printable(p.path()) + ": was deleted while it was fetched"}, {}};
  if (now->is_local()) return {failure{cause::changed, printable(p.path()) + ": was written here meanwhile"}, {}};
  if (auto refused = p.catch_up(*now)) return {refused, {}};
  int problem = open_directory(now->parent, made);
  if (problem == ESTALE)
    return {failure{cause::cancelled, printable(p.path()) + ": its directory left the archive"}, {}};
  if (problem == 0) problem = where_.name_partial(p.row().ino, directory_.get(), now->name, false);
  if (problem == ENOENT) {  // the directory was moved or removed behind our back
    directory_.reset();
    problem = open_directory(now->parent, made);
    if (problem == 0) problem = where_.name_partial(p.row().ino, directory_.get(), now->name, false);
  }
  if (problem == 0) return {};
  if (problem == EXDEV && !where_.is_carried(p.row().ino)) return {.across = true};
  if (problem == EEXIST || problem == look_alike_there)
    if (const auto text = look_alike_text(where_, readers_.borrow()->path(now->ino).value_or("")))
      return {failure{cause::misplaced, *text}};
  if (problem != EEXIST) return {local_failure(p.path(), "cannot get its name in the destination", problem)};

  // Something stands there. An outdated copy that is still as it was fetched, and that nobody is about to write to, may
  // go; anything else is somebody's. Whoever opens one to write enters it among the open files under names().
  const auto path = readers_.borrow()->path(now->ino);
  const auto there = path ? where_.look(*path) : std::nullopt;
  const auto& outdated = now->local;
  if (there && now->fetched && outdated && there->attributes.size == outdated->size &&
      there->attributes.mtime == outdated->mtime) {
    if (open_.is_written(now->ino))
      return {failure{cause::changed, fmt::format("{}: its copy here is open for writing", printable(p.path()))},
              [ino = now->ino, local = there->attributes](index::transaction& t) {
                index::apply_kept_open(t, ino, local);
              }};
    problem = where_.name_partial(p.row().ino, directory_.get(), now->name, true);
    if (problem == 0) return {};
    if (problem == EXDEV && !where_.is_carried(p.row().ino)) return {.across = true};
    return {local_failure(p.path(), "cannot replace its outdated copy", problem)};
  }
  naming taken{
      failure{cause::changed, fmt::format("{}: another file came to stand there meanwhile", printable(p.path()))}, {}};
  if (there)
    taken.learnt = [ino = p.row().ino, local = there->attributes](index::transaction& t) {
      index::apply_found_entry(t, ino, local);
    };
  return taken;
}

void landing::record(std::vector<std::shared_ptr<picture>> batch, std::vector<std::string> made) {
  if (batch.empty() && made.empty()) return;
  auto shared = std::make_shared<const std::vector<std::shared_ptr<picture>>>(std::move(batch));
  index_.post(
      [shared, made = std::move(made)](index::transaction& t) {
        for (const auto& path : made)
          if (const auto e = t.at(path))
            index::apply_made_entry(t, e->ino, e->source.value_or(file_facts{S_IFDIR | 0700, 4096, 0}));
        for (const auto& p : *shared) {
          const entry& row = p->row();
          index::apply_arrival(t, {row.ino, row.parent, row.name, p->local_side(), p->sha256(), p->source_side()});
        }
      },
      [this, shared](const std::exception_ptr& failed) {
        callbacks_.post([this, shared, failed] {
          for (const auto& p : *shared)
            landed_(p, failed ? std::optional(failure_of(failed, printable(p->path()) + ": the index took no change"))
                              : std::nullopt);
        });
      });
}

void landing::tell(const std::shared_ptr<picture>& p, std::optional<failure> why) {
  callbacks_.post([this, p, why = std::move(why)] { landed_(p, why); });
}

}  // namespace ferryfs::remote
