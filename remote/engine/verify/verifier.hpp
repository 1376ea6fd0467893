// Reading pictures again: whether the disk still holds the bytes whose digest is known, and whether the source has the
// same ones.
//
// A local file is never changed or removed. One that has its known size and time but other bytes becomes a conflict, if
// the source has the picture, with the reason in its row; from then on it is nobody's outdated copy, and `resolve`
// decides it: the source's picture is fetched in its place, or what is here is taken as right. Where it is the source's
// bytes that are others than they were, ours are never given up for them: the conflict says so, and only what is here,
// or both, can be kept. One that is gone becomes
// a failed gap where the source has it, and is fetched again. Where the source has nothing, it is reported alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "remote/engine/migration/migration.hpp"

namespace ferryfs::remote {

struct verified {
  bool known = true;                   // there is such a path
  std::uint64_t files = 0, bytes = 0;  // as they should be
  std::uint64_t stored = 0;            // of them, whose digest was not known before
  std::uint64_t common = 0;            // of them, that the source's own digest confirms
  std::uint64_t wrong = 0;             // other bytes, or gone
  std::uint64_t unsure = 0;            // could not be read or compared, or changed meanwhile
  std::uint64_t uncompared = 0;        // the source was to be asked for their digests, and is away or not believed
  std::string why_uncompared;          // of the first of them
  bool complete = false;               // nobody stopped it
};

struct verify_progress {
  std::atomic<bool> running = false;
  std::atomic<std::uint64_t> files = 0, bytes = 0, wrong = 0, all_files = 0, all_bytes = 0;
};

enum class verify_how {
  here,        // this side alone
  both,        // and the source's digests
  uncompared,  // the same, of those pictures that both sides have and that were not compared as they stand now
};

// Reads every local picture at or below `path` (relative to the archive's root), from the destination's own handle, two
// at a time, and asks the source, as `how` says, for the digest of each that is common, many at a time. Digests not
// known so far are stored. `line` gets one line for each picture that is not as it should be, one call at a time.
// Blocks.
verified verify_below(migration& m, const std::string& path, verify_how how,
                      const std::function<void(const std::string&)>& line, verify_progress& progress,
                      const std::stop_token& stop);

}  // namespace ferryfs::remote
