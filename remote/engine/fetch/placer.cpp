#include "remote/engine/fetch/placer.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "index/base/path.hpp"
#include "index/update/fetch_result.hpp"
#include "remote/destination/make_directories.hpp"

namespace ferryfs::remote {

failure local_failure(const std::string& path, const char* doing, int problem) {
  return {is_of_disk(problem) ? cause::local_error : cause::misplaced,
          fmt::format("{}: {}: {}", printable(path), doing, std::strerror(problem))};
}

int placer::open_directory(inode ino, std::vector<std::string>& made) {
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

placer::placement placer::place(picture_fetch& p, std::vector<std::string>& made) {
  std::optional<entry> now = p.row();
  if (p.begun_at() != where_.namespace_version()) now = readers_.borrow()->by_inode(p.row().ino);
  if (!now || is_hidden(now->state))
    return {failure{cause::cancelled, printable(p.path()) + ": was deleted while it was fetched"}};
  if (now->is_local()) return {failure{cause::changed, printable(p.path()) + ": was written here meanwhile"}};
  if (auto refused = p.catch_up(*now)) return {std::move(refused)};
  int problem = open_directory(now->parent, made);
  if (problem == ESTALE)
    return {failure{cause::cancelled, printable(p.path()) + ": its directory is no longer in the archive"}};
  if (problem == 0) problem = where_.rename_into_place(p.row().ino, directory_.get(), now->name, false);
  if (problem == ENOENT) {  // the directory was moved or removed behind our back
    directory_.reset();
    problem = open_directory(now->parent, made);
    if (problem == 0) problem = where_.rename_into_place(p.row().ino, directory_.get(), now->name, false);
  }
  if (problem == 0) return {};
  if (problem == EEXIST || problem == look_alike_there)
    if (const auto text = look_alike_text(where_, readers_.borrow()->path(now->ino).value_or("")))
      return {failure{cause::misplaced, *text}};
  if (problem == EEXIST) return replace(p, *now);
  return failed_with(problem, p, "cannot get its name in the destination");
}

placer::placement placer::failed_with(int problem, const picture_fetch& p, const char* doing) const {
  if (problem == EXDEV && !where_.is_carried(p.row().ino)) return {.is_cross_device = true};
  return {local_failure(p.path(), doing, problem)};
}

// A file stands under the name. An outdated copy that is still as it was fetched, and that nobody is about to write to,
// may go; anything else stays. A thread that opens one to write enters it among the open files under the lock of the
// namespace, which the caller holds.
placer::placement placer::replace(picture_fetch& p, const entry& now) {
  const auto path = readers_.borrow()->path(now.ino);
  const auto there = path ? where_.look(*path) : std::nullopt;
  if (there && now.fetched && now.local && same_size_and_time(there->attributes, *now.local)) {
    if (open_.is_written(now.ino))
      return {
          failure{cause::changed, fmt::format("{}: its copy here is open for writing", printable(p.path()))},
          [ino = now.ino, local = there->attributes](index::transaction& t) { index::apply_kept_open(t, ino, local); }};
    const int problem = where_.rename_into_place(p.row().ino, directory_.get(), now.name, true);
    if (problem == 0) return {};
    return failed_with(problem, p, "cannot replace its outdated copy");
  }
  placement taken{
      failure{cause::changed, fmt::format("{}: another file has taken its name meanwhile", printable(p.path()))}};
  if (there)
    taken.index_update = [ino = p.row().ino, local = there->attributes](index::transaction& t) {
      index::apply_found_entry(t, ino, local);
    };
  return taken;
}

}  // namespace ferryfs::remote
