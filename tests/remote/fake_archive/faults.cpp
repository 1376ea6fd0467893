// What goes wrong at the fake archive on request, and what it says of sizes.
#include <sys/stat.h>

#include <stdexcept>
#include <utility>

#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {

using remote::attributes;
using remote::cause;

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

void fake_archive::before(const std::string& path, std::function<void()> call) {
  const std::lock_guard lock{mutex_};
  before_[path] = std::move(call);
}

void fake_archive::call_before(const std::string& path) {
  std::unique_lock lock{mutex_};
  const auto call = std::exchange(before_[path], nullptr);
  lock.unlock();
  if (call) call();
}

void fake_archive::spoil(const std::string& path) {
  const std::lock_guard lock{mutex_};
  spoilt_.insert(path);
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

}  // namespace ferryfs::test
