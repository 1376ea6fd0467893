// Reading pictures again: whether the disk still holds the bytes whose digest is known, and whether the source has the
// same ones.
//
// A local file is never changed or removed. One that has its known size and time but other bytes becomes a conflict, if
// the source has the picture, with the reason in its row; from then on it is no outdated copy, and `resolve`
// decides it: the source's picture is fetched in its place, or what is here is taken as right. Where it is the source's
// bytes that are others than they were, ours are never given up for them: the conflict says so, and only what is here,
// or both, can be kept. A file that is gone becomes a failed gap where the source has it, and is fetched again. Where
// the source has nothing, it is reported alone.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/verify/verify_tally.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// The references outlive the call.
struct verify_dependencies {
  const destination& where;
  archive& source;
  index::writer& index;
  index::readers& readers;
  std::string suspicion;  // why the source is not believed, and so not asked; empty: it is
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
verify_result verify_below(const verify_dependencies& d, const std::string& path, verify_how how,
                           const std::function<void(const std::string&)>& line, verify_progress& progress,
                           const std::stop_token& stop);

}  // namespace ferryfs::remote
