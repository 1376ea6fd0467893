#include "remote/engine/push/push_plan.hpp"

#include <sys/stat.h>

#include "remote/files/split_path.hpp"
#include "remote/source/temporary_name.hpp"

namespace ferryfs::remote {

push_plan::decision push_plan::decide(const entry& e) {
  if (!e.local || is_hidden(e.state) || is_temporary_name(e.name)) return {};
  // Pipes, sockets and devices stay here: SFTP has none, and opening one may do something.
  if (!S_ISREG(e.local->mode) && (!S_ISLNK(e.local->mode) || e.state == state::conflict)) return {};
  auto target = reader_.source_path(e.ino);
  if (!target) return {};
  const attributes here{e.local->mode, e.local->size, to_seconds(e.local->mtime)};
  const auto [parent, name] = split_path(*target);
  if (excluded_.excludes(parent, {name, here, e.target})) return {};
  const auto& directory = directories_.parent_of(e);
  if (directory.excluded) return {};
  if (directory.why) return {{}, directory.why};
  if (auto why = name_is_taken(reader_, e, *target)) return {{}, std::move(why)};
  return {std::move(target), {}};
}

std::optional<file_facts> push_plan::replaced_by(const entry& e) {
  if (!overwritten_ || !S_ISREG(e.local->mode)) return std::nullopt;
  if (e.state == state::conflict) return e.source;
  const auto hidden = reader_.hidden_child(e.parent, e.name);
  const bool given_up = hidden && (hidden->state == state::deleted || hidden->state == state::kept_local);
  return given_up ? hidden->source : std::nullopt;
}

}  // namespace ferryfs::remote
