#include "index/model/entry.hpp"

#include "index/base/time.hpp"

namespace ferryfs {

std::string_view name_of(state s) noexcept {
  switch (counted_as(s)) {
    case state::common:
      return "common";
    case state::missing:
      return "missing";
    case state::added:
      return "new";
    case state::conflict:
      return "conflict";
    case state::deleted:
      return "deleted";
    case state::skipped:
      return "skipped";
    case state::failed:
      return "failed";
    case state::moved:
      return "moved";
    case state::shadowed:
    case state::kept_local:
      break;  // counted as others
    case state::away:
    case state::away_skipped:
      return "away";
    case state::refused:
      return "refused";
  }
  return "unknown";
}

std::string_view text_of(reason r) noexcept {
  switch (r) {
    case reason::none:
      break;
    case reason::fetch_failed:
      return "its last fetch failed";
    case reason::gone_here:
      return "its file is gone from the destination";
    case reason::written_here:
      return "changed here since it was the same as the source's";
    case reason::source_differs:
      return "the source has other bytes by now; those here are unchanged";
    case reason::spoilt:
      return "digest differs";
    case reason::time_differs:
      return "the source's copy has another time; its digest will show whether its bytes changed too";
    case reason::changing:
      return "changed on the source each time it was fetched";
    case reason::leads_out:
      return "leads out of the archive";
  }
  return "";
}

namespace {

bool same_content(const file_facts& source, const file_facts& local) {
  if ((source.mode & S_IFMT) != (local.mode & S_IFMT)) return false;
  return S_ISDIR(source.mode) || source.size == local.size;
}

// Whole seconds are all that both sides can express.
bool same_second(const file_facts& a, const file_facts& b) { return to_seconds(a.mtime) == to_seconds(b.mtime); }

}  // namespace

file_facts beside(const file_facts& known, file_facts now) noexcept {
  if (!S_ISREG(known.mode) || !S_ISREG(now.mode)) return now;
  if (now.mtime == 0) now.mtime = known.mtime;
  if (now.size == 0 && now.mtime == known.mtime) now.size = known.size;
  return now;
}

state classify(const entry& e) noexcept {
  if (!e.source) return state::added;
  if (e.state == state::refused && S_ISLNK(e.source->mode) && (!e.local || same_content(*e.source, *e.local)))
    return state::refused;  // until it is judged anew
  const bool decided = is_hidden(e.state) || e.state == state::skipped || e.state == state::failed;
  const state gap = decided ? e.state : state::missing;
  if (!e.local) return gap;
  const bool doubtful = is_doubt(e.reason);
  // A copy that was fetched and not touched since is only outdated when the source changes, however little.
  if (e.fetched && S_ISREG(e.source->mode) && S_ISREG(e.local->mode))
    return !doubtful && same_content(*e.source, *e.local) && same_second(*e.source, *e.local) ? state::common : gap;
  // Nor does it end while the source was without its copy.
  if (doubtful && (e.state == state::conflict || e.state == state::added)) return state::conflict;
  return same_content(*e.source, *e.local) ? state::common : state::conflict;
}

}  // namespace ferryfs
