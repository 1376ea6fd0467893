// The order of locks: a thread takes a lock only below those that it holds. remote/engine/THREADS.md draws it.
#pragma once

#include <cstdint>

namespace ferryfs {

// From above to below. Two of one level are never held together.
enum class lock_level : std::uint8_t {
  command,            // how a command stands
  report,             // one report is made at a time
  virtual_file,       // a file of .ferryfs/ that is made once for all its readers
  name_space,         // destination::namespace_lock()
  index_jobs,         // no mutex: a thread waits for a job of the index, or uses the writer's connection for some
  scanner,            // when to scan, and which scan runs
  source_scan,        // its directories
  listing_waiters,    // the readers that wait for a directory's listing
  flight_table,       // the pictures on their way
  picture,            // one of them
  verification,       // a line of a verification is printed
  reachability,       // the connections to a server
  index_transaction,  // no mutex: a thread waits for pending changes to be committed, or makes and commits some
  open_files,         // the pictures that are open in the mount
  open_file,          // one of them
  leaf,               // a queue, a table: nothing is called under it
  log,                // which lines were logged
};

constexpr const char* name_of(lock_level level) noexcept {
  constexpr const char* names[] = {"command",      "report",       "virtual file",      "namespace",    "index jobs",
                                   "scanner",      "source scan",  "listing waiters",   "flight table", "picture",
                                   "verification", "reachability", "index transaction", "open files",   "open file",
                                   "leaf",         "log"};
  return names[static_cast<std::size_t>(level)];
}

}  // namespace ferryfs
