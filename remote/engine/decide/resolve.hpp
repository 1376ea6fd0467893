// Deciding conflicts: which of two different pictures under one name stays.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/fetcher.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/replicate/replicator.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

enum class keep { source, destination, both };
std::optional<keep> keep_named(std::string_view word) noexcept;

// All outlive the call.
struct resolve_dependencies {
  const destination& where;
  archive& source;
  index::writer& index;
  index::readers& readers;
  fetcher& fetch;
  replicator& replicate;
};

struct resolve_result {
  bool known = true;                 // there is such a path
  bool is_directory = false;         // which may have no conflict in it
  std::uint64_t files = 0;           // conflicts that are decided
  bool link_accepted = false;        // a refused link is taken over, and a gap from now on
  std::uint64_t not_done = 0;        // conflicts that stay
  std::vector<std::string> reasons;  // why, one line each, with the path; the first few
  bool rescan = false;               // a directory of the source's came into view, which is to be listed
};

// Decides every conflict at or below `path`, relative to the archive's root. Blocks until that is in the index and, for
// keep::source, until each picture was fetched, durable and under its name, or could not be: then its conflict stays.
// A local file that is being written, or is not as the index knows it, is left alone. Needs the source for
// keep::source only. Where `path` itself is a link that is refused, keep::source takes it over.
resolve_result resolve_below(const resolve_dependencies& d, const std::string& path, keep what,
                             const open_files_query& open, const std::stop_token& stop);

}  // namespace ferryfs::remote
