#include "tests/simulation/engine_user.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/disk.hpp"
#include "index/base/path.hpp"
#include "index/base/promise.hpp"
#include "index/update/fetch_result.hpp"
#include "index/update/local_change.hpp"
#include "remote/destination/make_directories.hpp"
#include "remote/destination/rename_recovery.hpp"
#include "remote/destination/stat_facts.hpp"
#include "remote/files/beneath.hpp"
#include "tests/simulation/old_server.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

struct refused {
  int problem;
};

constexpr auto io_timeout = 30s;

// As the operations' own funnel.
template <typename Call>
int answer(Call&& call) {
  try {
    call();
    return 0;
  } catch (const refused& r) {
    return r.problem;
  } catch (const std::exception&) {
    return EIO;
  }
}

// As change_of_names in fs/mount/change/mutation.hpp.
template <typename Lock>
class change_of_names {
 public:
  explicit change_of_names(const remote::destination& where) : where_(where), held_(where.namespace_lock()) {}
  ~change_of_names() { ++where_.namespace_version(); }
  change_of_names(const change_of_names&) = delete;
  change_of_names& operator=(const change_of_names&) = delete;

 private:
  const remote::destination& where_;
  Lock held_;
};
using name_change = change_of_names<shared_lock>;
using rename_change = change_of_names<exclusive_lock>;

// An error is not taken for an absence, as it is in fs/mount/change/intents.cpp.
std::optional<struct stat> on_disk(const unique_fd& directory, const std::string& name) {
  struct stat st {};
  if (directory && disk().fstatat(directory.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return st;
  if (directory && errno != ENOENT) throw refused{errno};
  return std::nullopt;
}

index::directory_entry facts_of(const remote::destination& where, int fd) {
  struct stat st {};
  if (disk().fstat(fd, &st) != 0) throw refused{errno};
  return remote::entry_of_stat("", st, "", where.uid(), where.gid());
}

std::string content_of(const unique_fd& file) {
  std::string all;
  char part[256];
  for (ssize_t n; (n = disk().pread(file.get(), part, sizeof part, static_cast<off_t>(all.size()))) != 0;) {
    if (n < 0) throw refused{errno};
    all.append(part, static_cast<std::size_t>(n));
  }
  return all;
}

}  // namespace

struct engine_user::handle final : user::file {
  handle(engine_user& u, inode i, bool w, descriptor f) : of(u), ino(i), writes(w), fd(std::move(f)) {}
  ~handle() override { close(); }

  int write(const std::string& bytes, std::uint64_t at) override {
    return answer([&] {
      if (!fd) {
        const auto e = of.archive_.readers().borrow()->by_inode(ino);
        if (!e || is_hidden(e->state)) throw refused{ENOENT};
        fd = of.hydrate(*e);
      }
      if (disk().pwrite(fd->get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) < 0) throw refused{errno};
      of.mark(ino, fd);
    });
  }
  int read(std::string& to) override {
    return answer([&] {
      if (fd) return void(to = content_of(*fd));
      const auto e = of.archive_.readers().borrow()->by_inode(ino);
      if (!e || is_hidden(e->state)) throw refused{ENOENT};
      if (e->is_local()) return void(to = content_of(*of.open_named(*e, O_RDONLY)));
      const auto bytes = of.read_missing(ino, e->shown().size);
      if (!bytes) throw refused{EIO};
      to = *bytes;
    });
  }
  int fsync() override {
    return answer([&] {
      if (fd && disk().fsync(fd->get()) != 0) throw refused{errno};
      of.record_written(ino);
      of.archive_.index().sync(ino);
    });
  }
  // flush, then release.
  int close() override {
    if (std::exchange(closed, true)) return 0;
    const int problem = writes ? answer([&] { of.record_written(ino); }) : 0;
    if (writes) answer([&] { of.record_written(ino); });
    of.leave(ino, writes);
    return problem;
  }

  engine_user& of;
  const inode ino;
  const bool writes;
  descriptor fd;
  bool closed = false;
};

engine_user::engine_user(remote::migration& archive) : archive_(archive), where_(archive.where()) {
  remote::open_files_query open;
  open.is_written = [this](inode ino) {
    const lock held{mutex_};
    const auto at = opened_.find(ino);
    return at != opened_.end() && (at->second.writers > 0 || at->second.marked || at->second.recordings > 0);
  };
  open.count_written = [this] {
    const lock held{mutex_};
    std::size_t n = 0;
    for (const auto& [ino, o] : opened_) n += o.writers > 0 ? 1 : 0;
    return n;
  };
  open.is_open = [this](inode ino) {
    const lock held{mutex_};
    return opened_.contains(ino);
  };
  archive.set_open_files(open);
}

void engine_user::enter(inode ino, bool writes, descriptor fd) {
  const lock held{mutex_};
  auto& o = opened_[ino];
  ++(writes ? o.writers : o.readers);
  if (writes && fd) o.file = std::move(fd);
}

void engine_user::mark(inode ino, descriptor fd) {
  const lock held{mutex_};
  auto& o = opened_[ino];
  o.marked = true, o.file = std::move(fd);
}

void engine_user::leave(inode ino, bool writes) {
  const lock held{mutex_};
  const auto at = opened_.find(ino);
  --(writes ? at->second.writers : at->second.readers);
  const auto& o = at->second;
  if (o.writers == 0 && o.readers == 0 && o.recordings == 0 && !o.marked) opened_.erase(at);
}

// As fs/mount/change/mutation.cpp.
void engine_user::record_written(inode ino) {
  descriptor written;
  {
    const lock held{mutex_};
    const auto at = opened_.find(ino);
    if (at == opened_.end() || !at->second.marked) return;
    at->second.marked = false, ++at->second.recordings;
    written = at->second.file;
  }
  bool stored = false;
  const auto record = [&](index::transaction& t) {
    struct stat st {};
    if (disk().fstat(written->get(), &st) != 0) throw std::system_error{errno, std::generic_category()};
    if (st.st_nlink == 0) return true;
    const auto now = remote::entry_of_stat("", st, "", where_.uid(), where_.gid());
    index::apply_local_change(t, ino, now.attributes, now.uid, now.gid, true, wall_nanoseconds());
    const auto e = t.by_inode(ino);
    return e && e->state == state::added;
  };
  std::exception_ptr thrown;
  try {
    if (!archive_.index().run_deferred(record)) archive_.index().run(record);
    stored = true;
  } catch (...) {
    thrown = std::current_exception();
  }
  {
    const lock held{mutex_};
    auto& o = opened_[ino];
    --o.recordings;
    if (!stored) o.marked = true;
    if (o.writers == 0 && o.readers == 0 && o.recordings == 0 && !o.marked) opened_.erase(ino);
  }
  if (thrown) std::rethrow_exception(thrown);
}

entry engine_user::find(const std::string& path) {
  auto e = archive_.readers().borrow()->at(path);
  if (!e) throw refused{ENOENT};
  return *std::move(e);
}

unique_fd engine_user::directory(inode ino, bool make) {
  const auto path = archive_.look([&](auto& rows) { return rows.path(ino); });
  if (!path) throw refused{ENOENT};
  auto fd = where_.open(*path, O_RDONLY | O_DIRECTORY);
  if (fd) return fd;
  if (errno != ENOENT) throw refused{errno};
  if (!make) return fd;
  std::vector<std::string> made;
  if (const int problem = remote::make_directories(where_, *archive_.readers().borrow(), *path, made))
    throw refused{problem};
  archive_.index().run([&](index::transaction& t) { remote::record_directories(t, made); });
  fd = where_.open(*path, O_RDONLY | O_DIRECTORY);
  if (!fd) throw refused{errno};
  return fd;
}

engine_user::descriptor engine_user::open_named(const entry& e, int flags) {
  const auto path = archive_.look([&](auto& rows) { return rows.path(e.ino); });
  if (!path) throw refused{ENOENT};
  auto fd = std::make_shared<unique_fd>(where_.open(*path, flags | O_NOFOLLOW | O_NONBLOCK));
  if (!*fd) throw refused{errno};
  return fd;
}

// create.cpp
int engine_user::create(const std::string& path, std::unique_ptr<file>& to) {
  return answer([&] {
    const lock one_at_a_time{names_};
    const entry parent = find(parent_path(path));
    const std::string name = last_name(path);
    if (!parent.is_directory()) throw refused{ENOTDIR};
    if (archive_.readers().borrow()->child(parent.ino, name)) throw refused{EEXIST};
    std::shared_ptr<unique_fd> fd;
    inode ino = 0;
    {
      const name_change changing{where_};
      const auto here = directory(parent.ino, true);
      constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
      fd = std::make_shared<unique_fd>(disk().openat(here.get(), name.c_str(), flags | O_CREAT | O_EXCL, 0600));
      const bool made = static_cast<bool>(*fd);
      if (!*fd && errno == EEXIST)  // the index does not know it yet
        fd = std::make_shared<unique_fd>(disk().openat(here.get(), name.c_str(), flags | O_TRUNC));
      if (!*fd) throw refused{errno};
      try {
        if (disk().fchmod(fd->get(), 0644) != 0) throw refused{errno};
        const auto now = facts_of(where_, fd->get());
        ino = archive_.index().run_deferred([&](index::transaction& t) {
          return index::apply_creation(t, {parent.ino, name, now.attributes, now.uid, now.gid, ""}, wall_nanoseconds());
        });
      } catch (...) {
        if (made) disk().unlinkat(here.get(), name.c_str(), 0);
        throw;
      }
    }
    enter(ino, true, fd);
    to = std::make_unique<handle>(*this, ino, true, fd);
  });
}

// open.cpp
int engine_user::open(const std::string& path, how h, std::unique_ptr<file>& to) {
  return answer([&] {
    const inode ino = find(path).ino;
    if (h == how::read) {
      const auto e = archive_.readers().borrow()->by_inode(ino);
      if (!e || is_hidden(e->state)) throw refused{ENOENT};
      if (e->is_directory()) throw refused{EISDIR};
      auto fd = e->is_local() ? open_named(*e, O_RDONLY) : nullptr;
      enter(ino, false, nullptr);
      to = std::make_unique<handle>(*this, ino, false, std::move(fd));
      return;
    }
    descriptor fd;
    bool is_local = false;
    {
      const shared_lock held{where_.namespace_lock()};
      const auto e = archive_.readers().borrow()->by_inode(ino);
      if (!e || is_hidden(e->state)) throw refused{ENOENT};
      if (e->is_directory()) throw refused{EISDIR};
      is_local = e->is_local();
      if (is_local) {
        fd = open_named(*e, O_RDWR);
        if (h == how::truncate && disk().ftruncate(fd->get(), 0) != 0) throw refused{errno};
      }
      enter(ino, true, fd);
      if (is_local && h == how::truncate) mark(ino, fd);
    }
    try {
      if (!is_local && h == how::truncate) {
        fd = replace_missing(ino);
        const lock held{mutex_};
        opened_[ino].file = fd;
      }
    } catch (...) {
      leave(ino, true);
      throw;
    }
    to = std::make_unique<handle>(*this, ino, true, std::move(fd));
  });
}

// mutation.cpp
engine_user::descriptor engine_user::replace_missing(inode ino) {
  const rename_change changing{where_};
  const auto e = archive_.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw refused{ENOENT};
  const auto here = directory(e->parent, true);
  const auto there = on_disk(here, e->name);
  const bool outdated = e->local && e->fetched && there &&
                        static_cast<std::uint64_t>(there->st_size) == e->local->size &&
                        to_ns(there->st_mtim) == e->local->mtime;
  const struct partial {
    const remote::destination& where;
    const inode key;
    ~partial() { where.remove_partial(key); }
  } unnamed{where_, (inode{1} << 62) + next_partial_++};
  const auto fd = std::make_shared<unique_fd>(where_.create_partial(unnamed.key, 0600));
  if (!*fd) throw refused{errno};
  if (const int problem = where_.give_owner(fd->get(), e->uid, e->gid)) throw refused{problem};
  if (const int problem = where_.give_mode(fd->get(), e->shown().mode)) throw refused{problem};
  if (const int problem = where_.rename_into_place(unnamed.key, here.get(), e->name, outdated))
    throw refused{problem == EEXIST ? EIO : problem};
  const auto now = facts_of(where_, fd->get());
  archive_.index().run([&](index::transaction& t) {
    index::apply_creation(t, {e->parent, e->name, now.attributes, now.uid, now.gid, ""}, wall_nanoseconds());
  });
  return fd;
}

// hydrate.cpp, then what change_later.cpp does.
engine_user::descriptor engine_user::hydrate(const entry& e) {
  if (!e.is_local()) {
    const auto path = archive_.readers().borrow()->source_path(e.ino);
    if (!path) throw refused{ENOENT};
    const auto fetched = std::make_shared<promise<bool>>();
    archive_.fetch().fetch(e, *path, remote::priority::demand,
                           [fetched](const auto& why) { fetched->set_value(!why); });
    if (!fetched->wait_for(io_timeout) || !fetched->get()) throw refused{EIO};
  }
  const shared_lock held{where_.namespace_lock()};
  const auto now = archive_.readers().borrow()->by_inode(e.ino);
  if (!now || is_hidden(now->state)) throw refused{ENOENT};
  if (!now->is_local()) throw refused{EIO};
  return open_named(*now, O_RDWR);
}

// read.cpp, for a picture that is not here; nothing where it can't be had now.
std::optional<std::string> engine_user::read_missing(inode ino, std::uint64_t size) {
  std::string all;
  std::vector<std::shared_ptr<const std::atomic<bool>>> rejected;
  const std::uint64_t step = size / 2 + 1;
  while (all.size() < size || size == 0) {
    const auto got = std::make_shared<promise<remote::read_result>>();
    const auto id = archive_.fetch().await_range(ino, all.size(), step, [got](const auto& r) { got->set_value(r); });
    if (!got->wait_for(io_timeout)) {
      archive_.fetch().cancel(ino, id);
      return std::nullopt;
    }
    const auto result = got->get();
    if (const auto* part = std::get_if<remote::partial_read>(&result)) {
      std::string bytes(step, '\0');
      const auto n = disk().pread(part->file->get(), bytes.data(), step, static_cast<off_t>(all.size()));
      if (n < 0 || part->size != size) return std::nullopt;
      rejected.push_back(part->rejected);
      all += bytes.substr(0, std::min<std::uint64_t>(static_cast<std::uint64_t>(n), size - all.size()));
      if (n == 0) break;
    } else if (const auto* direct = std::get_if<remote::direct_read>(&result)) {
      if (direct->size != size || direct->bytes.empty()) return std::nullopt;
      all.append(reinterpret_cast<const char*>(direct->bytes.data()), direct->bytes.size());
      return std::nullopt;  // its end may be of another picture
    } else if (std::holds_alternative<remote::local_read>(result)) {
      const auto e = archive_.readers().borrow()->by_inode(ino);
      if (!e || is_hidden(e->state) || !e->is_local()) return std::nullopt;
      return content_of(*open_named(*e, O_RDONLY));
    } else {
      return std::nullopt;
    }
  }
  for (const auto& r : rejected)
    if (*r) return std::nullopt;
  return all;
}

int engine_user::make_directory(const std::string& path) {
  return answer([&] {
    const lock one_at_a_time{names_};
    const entry parent = find(parent_path(path));
    const std::string name = last_name(path);
    if (archive_.readers().borrow()->child(parent.ino, name)) throw refused{EEXIST};
    const name_change changing{where_};
    const auto here = directory(parent.ino, true);
    if (disk().mkdirat(here.get(), name.c_str(), 0755) != 0) throw refused{errno};
    const unique_fd made{disk().openat(here.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    const auto now = facts_of(where_, made.get());
    archive_.index().run([&](index::transaction& t) {
      index::apply_creation(t, {parent.ino, name, now.attributes, now.uid, now.gid, ""}, wall_nanoseconds());
    });
  });
}

// intents.cpp
void engine_user::intend(const index::rename_intent& r, bool durably) {
  archive_.index().run([&](index::transaction& t) {
    t.forget_rename(r.ino);
    t.intend_rename(r);
  });
  if (!durably) return;
  try {
    archive_.index().sync();
  } catch (...) {
    archive_.index().run([&](index::transaction& t) { t.forget_rename(r.ino); });
    throw;
  }
}

void engine_user::fail_rename(inode ino, int problem) {
  archive_.index().run([&](index::transaction& t) { t.forget_rename(ino); });
  throw refused{problem};
}

void engine_user::remove_file(const entry& whose, inode parent, const std::string& name, const unique_fd& at) {
  const auto there = on_disk(at, name);
  if (!there) return;
  const auto above = archive_.look([&](auto& rows) { return rows.path(parent); }).value_or("");
  const auto r = index::rename_intent::removal(
      whose.ino, parent, name, remote::identity_of(at.get(), name.c_str(), remote::identity::exact), join(above, name));
  const bool goes_itself = whose.parent == parent && whose.name == name;
  intend(r, !goes_itself && (whose.source || whose.is_directory()));
  if (disk().unlinkat(at.get(), name.c_str(), S_ISDIR(there->st_mode) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
    fail_rename(whose.ino, errno);
}

// remove.cpp
int engine_user::remove(const std::string& path) {
  return answer([&] {
    const lock one_at_a_time{names_};
    const entry e = find(path);
    const name_change changing{where_};
    if (e.is_directory()) {
      bool empty = true;
      archive_.readers().borrow()->children(e.ino, "", [&](entry&&) { return empty = false; });
      if (!empty || e.never_listed()) throw refused{ENOTEMPTY};
    }
    remove_file(e, e.parent, e.name, directory(e.parent, false));
    archive_.index().run([&](index::transaction& t) { index::apply_removal(t, e.ino, wall_nanoseconds()); });
  });
}

// rename.cpp
void engine_user::move_here(const entry& from, inode parent, const std::string& name,
                            const std::optional<entry>& there) {
  const auto old_directory = directory(from.parent, false);
  const auto mine = on_disk(old_directory, from.name);
  if (!mine) {
    if (there) remove_file(from, parent, name, directory(parent, false));
    return;
  }
  const auto new_directory = directory(parent, true);
  if (there && (there->is_gap() || there->state == state::refused) && S_ISREG(mine->st_mode)) {
    const unique_fd fd{disk().openat(old_directory.get(), from.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (!fd || disk().fdatasync(fd.get()) != 0) throw refused{errno};
  }
  const auto identity = [](const unique_fd& at, const std::string& n, remote::identity of) {
    return remote::identity_of(at.get(), n.c_str(), of);
  };
  index::rename_intent r{from.ino, parent, name, 0,
                         identity(old_directory, from.name, remote::identity::kept_by_rename)};
  r.old_parent = from.parent, r.replaced = identity(new_directory, name, remote::identity::exact);
  r.old_path = archive_.look([&](auto& rows) { return rows.path(from.ino); }).value_or("");
  r.new_path = join(archive_.look([&](auto& rows) { return rows.path(parent); }).value_or(""), name);
  intend(r, from.source || from.is_directory());
  if (disk().renameat(old_directory.get(), from.name.c_str(), new_directory.get(), name.c_str()) != 0)
    fail_rename(from.ino, errno);
}

int engine_user::rename(const std::string& from_path, const std::string& to_path) {
  return answer([&] {
    const lock one_at_a_time{names_};
    const entry from = find(from_path), parent = find(parent_path(to_path));
    const std::string name = last_name(to_path);
    if (is_below(to_path, from_path) || from_path == to_path || !parent.is_directory()) throw refused{EINVAL};
    const rename_change changing{where_};
    record_written(from.ino);
    const auto there = archive_.readers().borrow()->child(parent.ino, name);
    if (there && there->is_directory() != from.is_directory()) throw refused{EISDIR};
    if (there && there->is_directory()) {
      bool empty = true;
      archive_.readers().borrow()->children(there->ino, "", [&](entry&&) { return empty = false; });
      if (!empty || there->never_listed()) throw refused{ENOTEMPTY};
    }
    move_here(from, parent.ino, name, there);
    archive_.index().run(
        [&](index::transaction& t) { index::apply_rename(t, from.ino, parent.ino, name, wall_nanoseconds()); });
  });
}

int engine_user::sync_directory(const std::string& path) {
  return answer([&] {
    const entry e = find(path);
    unique_fd here;
    {
      const name_change reading{where_};
      here = directory(e.ino, false);
    }
    if (here && disk().fsync(here.get()) != 0) throw refused{errno};
    archive_.index().sync();
  });
}

}  // namespace ferryfs::test
