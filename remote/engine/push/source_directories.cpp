#include "remote/engine/push/source_directories.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <memory>

#include "index/base/path.hpp"
#include "index/base/promise.hpp"
#include "index/update/push_result.hpp"
#include "remote/engine/source_facts.hpp"
#include "remote/files/split_path.hpp"

namespace ferryfs::remote {

std::optional<failure> name_is_taken(index::reader& r, const entry& e, const std::string& target) {
  if (e.source || e.origin) return std::nullopt;
  const auto hidden = r.hidden_child(e.parent, e.name);
  if (!hidden || hidden->state != state::moved) return std::nullopt;
  return failure{
      cause::exists,
      fmt::format("{}: on the source this is the name of something that has another name here; choose another name",
                  printable(target))};
}

// The walk goes through one directory after the other: those above the last one are known.
const source_directories::directory& source_directories::parent_of(const entry& e) {
  auto& reader = needs_.reader;
  std::vector<entry> above;
  for (auto d = reader.by_inode(e.parent); d; d = reader.by_inode(d->parent)) {
    above.push_back(*d);
    if (d->ino == root_inode) break;
  }
  std::size_t known = 0;
  while (known < chain_.size() && known < above.size() && chain_[known].ino == above[above.size() - 1 - known].ino)
    ++known;
  chain_.resize(known);
  while (chain_.size() < above.size()) {
    const entry& d = above[above.size() - 1 - chain_.size()];
    const bool closed = !chain_.empty() && (chain_.back().why || chain_.back().excluded);
    chain_.push_back(closed ? directory{d.ino, chain_.back().why, chain_.back().excluded} : enter(d));
  }
  return chain_.back();
}

source_directories::directory source_directories::enter(const entry& d) {
  const auto target = needs_.reader.source_path(d.ino);
  if (d.ino == root_inode || !target) return {d.ino, {}};
  const attributes here{d.shown().mode, 0, 0};
  const auto [parent, name] = split_path(*target);
  if (needs_.excluded.excludes(parent, {name, here, {}})) return {d.ino, {}, true};
  if (d.source && S_ISDIR(d.source->mode)) return {d.ino, {}};
  if (auto why = name_is_taken(needs_.reader, d, *target)) return {d.ino, std::move(why)};
  const auto [why, there] = make(d, *target);
  if (why) return {d.ino, why};
  if (!S_ISDIR(there.mode))
    return {d.ino, failure{cause::exists, fmt::format("{}: not a directory on the source", printable(*target))}};
  needs_.index.post([d, source = facts_of(there, needs_.times)](index::transaction& t) {
    index::apply_pushed_directory(t, d, source);
  });
  return {d.ino, {}};
}

source_directories::answer source_directories::make(const entry& d, const std::string& target) {
  auto& source = needs_.source;
  const auto stat = [&](callback done) { source.stat(target, std::move(done)); };
  auto got = ask(stat);
  if (!got.first || got.first->why != cause::not_found) return got;
  got = ask([&](callback done) { source.make_directory(target, d.shown().mode & 07777, std::move(done)); });
  if (got.first && got.first->why == cause::exists) return ask(stat);
  if (!got.first) needs_.queue.set_accepted();
  return got;
}

// Waits for one answer; a lost connection is no answer.
source_directories::answer source_directories::ask(const std::function<void(callback)>& request) {
  for (unsigned losses = 0;; ++losses) {
    const auto promised = std::make_shared<promise<answer>>();
    request([promised](const std::optional<failure>& why, const attributes& a) { promised->set_value({why, a}); });
    auto got = promised->get();
    if (!got.first || !got.first->of_connection() || losses == push_queue::most_connection_losses ||
        !needs_.queue.wait_for_source())
      return got;
  }
}

}  // namespace ferryfs::remote
