#include "remote/engine/decide/resolve.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "index/base/mutex.hpp"
#include "index/base/path.hpp"
#include "index/base/promise.hpp"
#include "index/query/rows_below.hpp"
#include "index/update/decision.hpp"
#include "index/update/source_links.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_reasons = 20;
constexpr unsigned most_second_names = 1000;
constexpr std::array<std::string_view, 3> words{"source", "destination", "both"};

bool is_regular(const std::optional<file_facts>& s) { return s && S_ISREG(s->mode); }

class resolver {
 public:
  resolver(const resolve_dependencies& d, keep what, const open_files_query& open)
      : needs_(d), what_(what), open_(open) {}

  void one(const std::string& path, const entry& seen) {
    std::optional<std::string> why;
    try {
      // Names stay as they are meanwhile, and a fetch that is about to land looks again. Where the bytes here are to be
      // given up, the lock is exclusive: no program begins to write to them between the look and the index.
      if (what_ == keep::source) {
        const exclusive_lock held{needs_.where.namespace_lock()};
        why = decide_again(path, seen);
      } else {
        const shared_lock held{needs_.where.namespace_lock()};
        why = decide_again(path, seen);
      }
    } catch (const std::exception& e) {
      why = e.what();
    }
    if (!why) return;
    if (why->empty() && what_ == keep::source) why = fetch(seen.ino);  // lets renames go on meanwhile
    why->empty() ? void(++result.files) : refuse(path, *why);
  }

  // One that is named, never all below a directory: each leads elsewhere.
  void refused_link(const std::string& path, const entry& e) {
    if (what_ != keep::source)
      return refuse(path, "a refused link, " + e.error + "; use --keep source to copy it, or ferryfs skip");
    {
      const shared_lock held{needs_.where.namespace_lock()};
      result.link_accepted =
          needs_.index.run([&](index::transaction& t) { return index::apply_link_acceptance(t, e.ino); });
    }
    needs_.replicate.recheck();
  }

  resolve_result result;

 private:
  // Under the lock of names. Empty, or why not; nothing: it is no conflict any more.
  std::optional<std::string> decide_again(const std::string& path, const entry& seen) {
    ++needs_.where.namespace_version();
    const auto now = needs_.readers.borrow()->by_inode(seen.ino);
    if (!now || (now->state != state::conflict && now->state != state::shadowed)) return std::nullopt;
    return decide(needs_.readers.borrow()->path(seen.ino).value_or(path), *now);
  }
  // Empty, or why not.
  std::string decide(const std::string& path, const entry& e) {
    if (what_ == keep::destination) {
      needs_.index.run([&](index::transaction& t) { return index::apply_keep_destination(t, e.ino); });
      return "";
    }
    return what_ == keep::both ? keep_both(path, e) : keep_source(path, e);
  }

  std::string keep_both(const std::string& path, const entry& e) {
    if (S_ISLNK(e.source->mode) && e.state == state::conflict)
      return "a symbolic link on the source: only what is here can be kept; use --keep destination";
    const auto directory = path.substr(0, path.size() - e.name.size());
    for (unsigned n = 1; n <= most_second_names; ++n) {
      const std::string name = index::second_name(e.name, S_ISDIR(e.source->mode), n);
      if (needs_.where.look(directory + name)) continue;
      const inode made = needs_.index.run([&](index::transaction& t) {
        return t.hidden_child(e.parent, name) ? 0 : index::apply_keep_both(t, e.ino, name);
      });
      if (made == 0) continue;
      result.rescan = result.rescan || S_ISDIR(e.source->mode);
      return "";
    }
    return "no free name for the source's copy beside it";
  }

  std::string keep_source(const std::string& path, const entry& e) {
    if (e.state == state::shadowed) return "another picture has this name here; rename that one, or use --keep both";
    if (!is_regular(e.source) || !is_regular(e.local))
      return "not a regular file on both sides; use --keep both, then remove what is not wanted";
    if (e.reason == reason::source_differs)
      return fmt::format("{}; use --keep destination, or --keep both", text_of(e.reason));
    if (const auto health = needs_.source.state(); !health.reachable)
      return "the source is not reachable: " + health.why;
    if (open_.is_written(e.ino)) return "it is being written here; try again when that has ended";
    const auto there = needs_.where.look(path);
    if (!there || there->attributes.size != e.local->size || there->attributes.mtime != e.local->mtime)
      return "the file here has changed since the last scan; run ferryfs scan";
    needs_.index.run([&](index::transaction& t) { return index::apply_keep_source(t, e.ino); });
    open_.reopen(e.ino);
    return "";
  }

  std::string fetch(inode ino) {
    std::optional<entry> gap;
    std::optional<std::string> path;
    {
      const auto reader = needs_.readers.borrow();
      gap = reader->by_inode(ino);
      path = reader->source_path(ino);
    }
    if (!gap || !path) return "it is no longer in the archive";
    const auto end = std::make_shared<promise<std::optional<failure>>>();
    needs_.fetch.fetch(*gap, *path, priority::demand,
                       [end](const std::optional<failure>& why) { end->set_value(why); });
    const auto why = end->get();
    const bool stands = needs_.index.run([&](index::transaction& t) {
      if (why) index::apply_failed_keep_source(t, ino);
      t.note({index::change::what::content, ino, {}});  // bytes of both may have been read meanwhile
      const auto now = t.by_inode(ino);
      return now && now->state == state::conflict;
    });
    open_.reopen(ino);
    if (why) return "not fetched: " + why->text;
    return stands ? "another file has taken its name meanwhile" : "";
  }

  void refuse(const std::string& path, const std::string& why) {
    if (result.not_done++ < most_reasons) result.reasons.push_back(fmt::format("{}: {}", printable(path), why));
  }

  const resolve_dependencies needs_;
  const keep what_;
  const open_files_query& open_;
};

}  // namespace

std::optional<keep> keep_named(std::string_view word) noexcept {
  const auto at = std::find(words.begin(), words.end(), word);
  return at == words.end() ? std::nullopt : std::optional(static_cast<keep>(at - words.begin()));
}

resolve_result resolve_below(const resolve_dependencies& d, const std::string& path, keep what,
                             const open_files_query& open, const std::stop_token& stop) {
  resolver r{d, what, open};
  const auto reader = d.readers.borrow();
  const auto self = reader->at(path);
  index::rows_below(*reader, {state::conflict, state::shadowed}, path, [&](const std::string& at, const entry& e) {
    r.one(at, e);
    return !stop.stop_requested();
  });
  if (self && self->state == state::refused) r.refused_link(path, *self);
  r.result.is_directory = self && self->is_directory();
  r.result.known = self.has_value() || r.result.files + r.result.not_done > 0;
  return r.result;
}

}  // namespace ferryfs::remote
