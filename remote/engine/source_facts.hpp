// A file's attributes from an archive, beside the facts that the index has. Where the archive shows nothing, the index
// is right. So it is where a size of 0 stands beside another for the same time: servers that do not know a size often
// show that. Pure.
#pragma once

#include "index/base/time.hpp"
#include "index/model/entry.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// As the index keeps them: an unknown size or time stands as 0, which the bytes of a regular file are to confirm.
// Set-user-id and set-group-id are not taken over: here they would speak for another owner.
inline file_facts facts_of(const attributes& reported, const time_range& times) {
  return {reported.mode & ~06000U, reported.size.value_or(0), reported.mtime ? times.ns(*reported.mtime) : 0};
}

// `known`, brought up to date by what the archive reports now.
inline file_facts updated_facts(const file_facts& known, const attributes& reported, const time_range& times) {
  file_facts now = facts_of(reported, times);
  if (reported.mode == 0) now.mode = known.mode;
  if (!reported.has_kind()) now.mode |= known.mode & S_IFMT;
  return beside(known, now);
}

// The archive shows another size or time than `known`.
inline bool shows_another(const file_facts& known, const attributes& reported, const time_range& times) {
  return !same_size_and_time(updated_facts(known, reported, times), known);
}

}  // namespace ferryfs::remote
