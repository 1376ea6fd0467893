// One row of the index: what is known of one path, on both sides.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "index/model/reason.hpp"

namespace ferryfs {

// The row id, and the inode number that the view shows: stable over remounts, never reused.
using inode = std::uint64_t;
inline constexpr inode root_inode = 1;  // FUSE_ROOT_ID

// The facts of the file that one side holds under a path.
struct file_facts {
  std::uint32_t mode = 0;   // type and permission bits, as st_mode
  std::uint64_t size = 0;   // bytes; 0 on the source: empty, or unknown
  std::int64_t mtime = 0;   // nanoseconds since 1970; the source knows whole seconds only (SFTP v3), or none: 0
  std::uint64_t holes = 0;  // blocks of 512 bytes, of those that the size takes, that are not on the disk; 0: unknown

  bool operator==(const file_facts&) const = default;
};

inline bool same_size_and_time(const file_facts& a, const file_facts& b) noexcept {
  return a.size == b.size && a.mtime == b.mtime;
}

// `now`, of a file that the source showed as `known` before, without the gaps in what the server knows: a size or time
// of 0 beside another, of the same time, is one that the server does not know. An empty file is confirmed by its bytes
// alone.
file_facts beside(const file_facts& known, file_facts now) noexcept;

// The sets of the design; stored, so the numbers never change. Each path is in exactly one.
enum class state : std::uint8_t {
  common = 1,       // on both sides, the same
  missing = 2,      // a gap: only on the source, or here in an older form that was fetched before the source changed
  added = 3,        // "new": on the destination only
  conflict = 4,     // on both sides, different
  deleted = 5,      // removed through the mount: hides the source's copy
  skipped = 6,      // a gap that the operator accepted
  failed = 7,       // a gap whose last fetch went wrong
  moved = 8,        // keeps the name on the source of an entry that was renamed here; in no set, its entry is
  shadowed = 9,     // on the source under a name that was given to another entry here
  kept_local = 10,  // deleted, by the operator's word for what is here: until the source's copy becomes another
  refused = 11,     // a symbolic link of the source that is not followed: no gap, and not here
  // Of what the source has lost, and that is nowhere else: in no set, and not in the view. It comes back as it was
  // decided when the source has it again.
  away = 12,          // renamed here, or a directory with decisions below it
  away_skipped = 13,  // skipped
};
inline constexpr bool is_away(state s) noexcept { return s == state::away || s == state::away_skipped; }
// Not in the view: such a row only keeps the source's name from being shown, or fetched again.
inline constexpr bool is_hidden(state s) noexcept {
  return s == state::deleted || s == state::moved || s == state::shadowed || s == state::kept_local || is_away(s);
}
// The set that a row counts in: a shadowed one as a conflict, one that is kept_local as deleted.
inline constexpr state counted_as(state s) noexcept {
  if (s == state::shadowed) return state::conflict;
  return s == state::kept_local ? state::deleted : s;
}
inline constexpr std::array all_states{state::common,  state::missing, state::added,  state::conflict,
                                       state::deleted, state::skipped, state::failed, state::refused};

// The word that the command line, JSON and lists use.
std::string_view name_of(state) noexcept;

struct entry {
  inode ino = 0;  // 0: not stored yet
  inode parent = 0;
  std::string name;  // bytes; empty for the root
  ferryfs::state state = ferryfs::state::missing;
  std::int32_t day = 0;  // YYYYMMDD
  std::optional<file_facts> source;
  std::optional<file_facts> local;
  std::optional<std::uint32_t> uid, gid;  // of the local file, where it is not the archive's owner
  bool fetched = false;                   // the local bytes, or link, came from the source and were not changed here
  std::optional<inode> origin;            // the `moved` row that has its name on the source, if that is another
  std::string target;                     // of a symbolic link
  std::string sha256;                     // 32 bytes, or empty while unknown
  std::optional<std::int64_t> compared;   // the source's mtime when its bytes were known to have that digest

  // Attributes that were set here while the bytes are still away; applied when they arrive.
  std::optional<std::uint32_t> set_mode;
  std::optional<std::int64_t> set_mtime;
  std::int64_t changed = 0;  // ctime of the last change made through the mount, nanoseconds since 1970; 0: none

  // Directories: the source's mtime (whole seconds) as of its last complete listing; 0: listed, but too young to be
  // relied on; nothing: never listed.
  std::optional<std::int64_t> listed_mtime;

  // Gaps whose fetch went wrong.
  std::uint32_t attempts = 0;
  std::int64_t retry_at = 0;  // seconds since 1970

  ferryfs::reason reason = ferryfs::reason::none;
  std::string error;  // the reason in words, for people alone
  void set_reason(ferryfs::reason r) { set_reason(r, text_of(r)); }
  void set_reason(ferryfs::reason r, std::string_view text) { reason = r, error = text; }
  // No fetch of it has gone wrong; a doubt about what is here stays.
  void forget_failure() {
    attempts = 0, retry_at = 0;
    is_doubt(reason) ? set_reason(reason) : forget_reason();
  }
  void forget_reason() { attempts = 0, retry_at = 0, reason = ferryfs::reason::none, error.clear(); }

  // The side that the view shows: what is here, unless that is only an outdated copy.
  file_facts shown() const noexcept {
    file_facts s = local && !(source && is_gap()) ? *local : *source;
    if (set_mode) s.mode = (s.mode & ~07777U) | *set_mode;
    if (set_mtime) s.mtime = *set_mtime;
    return s;
  }
  bool is_directory() const noexcept { return S_ISDIR(shown().mode); }
  bool is_link() const noexcept { return S_ISLNK(shown().mode); }
  // Its bytes are here, to be read from the destination.
  bool is_local() const noexcept {
    return state == ferryfs::state::common || state == ferryfs::state::added || state == ferryfs::state::conflict ||
           awaits_digest();
  }
  // Its bytes are on the source only, to be fetched.
  bool is_gap() const noexcept { return is_of_gap() && !awaits_digest(); }
  // Fetched, and then the source's copy got another time and kept its size. It counts as a gap; but what is here is
  // served, until a digest says that the source's bytes are others.
  bool awaits_digest() const noexcept {
    return reason == ferryfs::reason::time_differs && local && source && is_of_gap();
  }

  // Both sides have the same bytes, as a digest said of them as they stand now.
  bool is_compared() const noexcept {
    return state == ferryfs::state::common && !sha256.empty() && compared && *compared == source->mtime;
  }

  // A file of the source whose size is learnt from its bytes: until then it shows as empty, which is not relied on.
  bool is_unsized() const noexcept { return source && is_gap() && S_ISREG(source->mode) && shown().size == 0; }

  // The source has this directory, and what is in it was never asked for: a name that the index lacks may be there.
  bool never_listed() const noexcept {
    return source && !listed_mtime && S_ISDIR(source->mode) && state != ferryfs::state::conflict;
  }

  bool operator==(const entry&) const = default;

 private:
  bool is_of_gap() const noexcept {
    return state == ferryfs::state::missing || state == ferryfs::state::failed || state == ferryfs::state::skipped;
  }
};

// The state that the two sides of `e` add up to; keeps what was decided (deleted, moved, skipped, failed).
state classify(const entry& e) noexcept;

}  // namespace ferryfs
