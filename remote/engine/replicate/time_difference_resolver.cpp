#include "remote/engine/replicate/time_difference_resolver.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "index/base/disk.hpp"
#include "index/base/mutex.hpp"
#include "index/base/time.hpp"
#include "index/update/verify_result.hpp"
#include "remote/destination/stat_facts.hpp"

namespace ferryfs::remote {

void time_difference_resolver::ask(const entry& e, const std::string& path,
                                   std::function<void(const std::optional<failure>&, bool)> call) {
  source_.digest(path, [known = e.sha256, call = std::move(call)](const auto& why, const std::string& sha256) {
    call(why, !known.empty() && sha256 == known);
  });
}

bool time_difference_resolver::apply(const entry& e, bool same) {
  if (same) return take_time(e);
  return index_.run([&](index::transaction& t) { return index::apply_other_bytes(t, e.ino, *e.source); });
}

// In one with the names, so that it is this picture's file. One that was written to since is another picture.
bool time_difference_resolver::take_time(const entry& e) {
  const shared_lock held{where_.namespace_lock()};
  file_facts now = *e.local;
  now.mtime = where_.times().clamped(e.source->mtime);
  const auto path = index_.run([&](index::transaction& t) { return t.path(e.ino); });
  const auto file = path ? where_.open(*path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) : unique_fd{};
  struct stat st {};
  if (!file || disk().fstat(file.get(), &st) != 0 || !same_size_and_time(facts_of_stat(st), *e.local)) return false;
  const timespec when = to_timespec(now.mtime);
  const timespec times[] = {when, when};
  if (disk().futimens(file.get(), times) != 0) throw std::system_error{errno, std::generic_category()};
  return index_.run([&](index::transaction& t) { return index::apply_same_bytes(t, e.ino, *e.local, now, *e.source); });
}

}  // namespace ferryfs::remote
