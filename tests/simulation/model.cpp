#include "tests/simulation/model.hpp"

#include <algorithm>
#include <utility>

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

// A promise is durable within seconds of its call (remote/engine/durable).
constexpr auto promise_time = 10s;

bool meets(const std::string& one, const std::string& other) {
  return one == other || is_below(one, other) || is_below(other, one);
}

std::string on_disk(const std::string& path) { return std::string(destination_name) + '/' + path; }

std::string shown(const std::string& content) {
  return std::to_string(content.size()) + " bytes \"" + content.substr(0, 24) + "\"";
}
std::string shown(const std::optional<std::string>& content) { return content ? shown(*content) : "nothing"; }

}  // namespace

bool model::begin(const std::vector<std::string>& paths) {
  for (const auto& p : paths)
    if (is_under_way(p)) return false;
  under_way_.insert(paths.begin(), paths.end());
  return true;
}

void model::end(const std::vector<std::string>& paths) {
  for (const auto& p : paths) under_way_.erase(p);
}

bool model::is_under_way(const std::string& path) const {
  return std::any_of(under_way_.begin(), under_way_.end(), [&](const auto& p) { return meets(p, path); });
}

void model::wrote(const std::string& path, const std::string& content, bool synced) {
  const auto known = mine_.find(path);
  const std::string origin = known != mine_.end() && is_here(known->second) ? known->second.origin : "";
  mine_[path] = {expectation::what::written, content, origin, synced, {}};
}

// Under which name the old server has what is shown as `path`.
std::string model::name_there(const std::string& path) const {
  const auto at = mine_.find(path);
  return at != mine_.end() && is_here(at->second) && !at->second.origin.empty() ? at->second.origin : path;
}

void model::looks(const std::string& path) {
  const auto n = server_.find(name_there(path));
  looked_at_[path] = n ? n->content : "";
}

void model::saw(const std::string& path, const std::string& content) {
  if (seen_ || (is_out_of_sight(path) && !mine_.contains(path))) return;
  const auto at = mine_.find(path);
  const auto n = server_.find(name_there(path));
  const bool settled = n ? n->changed < listed_ && n->content == looked_at_[path] : looked_at_[path].empty();
  if (settled && !is_whole(content) && !moments_.contains(content))
    seen_ = path + " shows bytes that nobody ever had: " + shown(content);
  if (at != mine_.end() && at->second.is == expectation::what::written && content != at->second.content)
    seen_ = path + " was written here with " + shown(at->second.content) + " and shows " + shown(content);
  if (at != mine_.end() && at->second.is == expectation::what::gone)
    seen_ = path + " was taken away here and shows " + shown(content);
}

// A name that the old server had before it was listed is remembered as taken away. Of others only what was here goes:
// that of the old server comes, when it is seen. So it does where what was here had come from another name over there.
model::expectation model::gone(const std::string& path, time now) const {
  const auto here = mine_.find(path);
  const bool shadows = here != mine_.end() && is_here(here->second) && !here->second.origin.empty();
  const bool known = server_.find(path) && server_.since(path) < listed_ && !shadows;
  return {known ? expectation::what::gone : expectation::what::maybe_gone, "", "", false, now};
}

void model::removed(const std::string& path, time now) { mine_[path] = gone(path, now); }

void model::renamed(const std::string& from, const std::string& to, time now) {
  const bool known = !is_out_of_sight(from) || mine_.contains(from);
  if (!known) {
    lose_sight_of(to);
  } else if (const auto at = mine_.find(from); at != mine_.end()) {
    mine_[to] = at->second;
    mine_[to].durable = false, mine_[to].at = now;
  } else {
    const auto origin = server_.find(from);
    mine_[to] = {expectation::what::moved_here, origin ? origin->content : "", from, false, now};
  }
  mine_[from] = gone(from, now);
}

void model::made_directory(const std::string& path) { mine_[path] = {expectation::what::directory, "", "", false, {}}; }

void model::synced_directories() {
  for (auto& [path, e] : mine_)
    if (e.is == expectation::what::gone) e.durable = true;
}

void model::lose_sight_of(const std::string& path) {
  std::erase_if(mine_, [&](const auto& one) { return one.first == path || is_below(one.first, path); });
  if (!is_out_of_sight(path)) out_of_sight_.push_back(path);
}

void model::on_kill() {
  forgets_ = true;
  for (const auto& p : std::exchange(under_way_, {})) lose_sight_of(p);
}

void model::on_power_cut(time now, bool weak) {
  on_kill();
  listed_ = {};
  std::vector<std::string> lost;
  for (auto& [path, e] : mine_) {
    e.durable = e.durable || (e.is == expectation::what::gone && now - e.at > promise_time);
    if (!e.durable || (weak && e.is == expectation::what::written)) lost.push_back(path);
  }
  for (const auto& path : lost) lose_sight_of(path);
}

bool model::is_out_of_sight(const std::string& path) const {
  return std::any_of(out_of_sight_.begin(), out_of_sight_.end(),
                     [&](const auto& p) { return p == path || is_below(path, p); });
}

// What is here and was not fetched is not replaced: where the old server had lost it, or it stood here from the
// beginning, or a crash has taken the memory that it was fetched, and there is another over there by now, that is a
// conflict, which is shown.
bool model::may_conflict(const std::string& path) const {
  return forgets_ || server_.was_left(path) || stood_.contains(path);
}

// Something was done here to it, or to a directory above it.
bool model::is_touched(const std::string& path) const {
  return is_out_of_sight(path) || std::any_of(mine_.begin(), mine_.end(), [&](const auto& m) {
           return m.first == path || is_below(path, m.first);
         });
}

std::optional<std::string> model::contradiction(const memory_disk& disk) const {
  if (seen_) return seen_;
  const std::string top = on_disk(""), own = on_disk(".ferryfs");
  for (const auto& full : disk.paths()) {
    if (!full.starts_with(top) || full == own || is_below(full, own)) continue;
    const auto content = disk.content(full);
    const std::string path = full.substr(top.size());
    if (!content || is_whole(*content) || is_under_way(path)) continue;
    if (is_out_of_sight(path) && !mine_.contains(path)) continue;
    return path + " holds bytes that nobody ever had: " + shown(*content);
  }
  return std::nullopt;
}

std::optional<std::string> model::contradiction_at_rest(const memory_disk& disk, const std::set<std::string>& conflicts,
                                                        bool is_complete) const {
  if (is_complete && !conflicts.empty())
    return "it is said to be complete, and " + *conflicts.begin() + " is in conflict";
  if (auto why = contradiction(disk)) return why;
  for (const auto& [path, e] : mine_) {
    const auto there = disk.content(on_disk(path));
    if (e.is == expectation::what::written && there != e.content)
      return path + " was written here with " + shown(e.content) + " and holds " + shown(there);
    if (e.is == expectation::what::gone && there) return path + " was taken away here and is back with " + shown(there);
    if (e.is == expectation::what::moved_here) {
      const auto origin = server_.find(e.origin);
      // A crash may take the listing that showed the old server's: then the file that stood here was renamed alone.
      if (may_conflict(e.origin) && (conflicts.contains(path) || stood_.contains(e.origin))) continue;
      const bool can_be_had = origin && !origin->is_directory && !is_out_of_sight(parent_path(e.origin));
      if (can_be_had && origin->content == e.content && there != e.content)
        return path + " was renamed here from " + e.origin + " and holds " + shown(there) + " instead of " +
               shown(e.content);
    }
  }
  for (const auto& [path, n] : server_.tree()) {
    if (path.empty() || n->is_directory || is_touched(path)) continue;
    const auto there = disk.content(on_disk(path));
    if (there && may_conflict(path) && conflicts.contains(path)) continue;
    if (there != n->content)
      return path + " could be had with " + shown(n->content) + " and the destination holds " + shown(there);
  }
  return std::nullopt;
}

}  // namespace ferryfs::test
