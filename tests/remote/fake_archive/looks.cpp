// How the fake archive lists a directory, looks at a path and makes a digest.
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "index/base/path.hpp"
#include "remote/files/sha256.hpp"
#include "remote/files/split_path.hpp"
#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {

using remote::attributes;
using remote::cause;
using remote::directory_entry;
using remote::failure;
using remote::listing;

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
      if (!at->first.empty() && split_path(at->first).first == path && !denied_.contains(at->first) &&
          !denied_.contains(at->first.substr(0, at->first.rfind('/') + 1) + "*"))
        all.push_back(
            {split_path(at->first).second, at->second.attrs, S_ISLNK(at->second.attrs.mode) ? at->second.content : ""});
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

}  // namespace ferryfs::test
