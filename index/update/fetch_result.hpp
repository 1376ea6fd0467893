// The result of a fetch, entered in the index. Each function runs inside a writer's job.
#pragma once

#include <string>

#include "index/db/transaction.hpp"

namespace ferryfs::index {

struct arrival {
  inode ino;
  inode parent;  // where and as what it was put on the disk
  std::string name;
  file_facts local;  // as it now stands on the destination
  std::string sha256;
  file_facts source = {};  // the source's copy whose bytes they are, and how many
};

// The bytes are durable and have their final name: the row says so. Where the source's copy left meanwhile, the row
// is made anew, as new here.
void apply_arrival(transaction& t, const arrival& a);

// A directory or symbolic link was made on the destination.
void apply_made_entry(transaction& t, inode ino, const file_facts& local);

// The fetch of a picture went wrong by no fault of the connection: it is tried again after a growing pause. `now` is
// in seconds since 1970, `why` one that is_fetch_failure; a doubt about an outdated copy that is here stays.
void apply_fetch_failure(transaction& t, inode ino, const std::string& cause, std::int64_t now,
                         reason why = reason::fetch_failed);

// The source shows another size or mtime than the index has.
void apply_source_attributes(transaction& t, inode ino, const file_facts& source);

// The source showed another size or mtime during the fetch. From the second time before the arrival on, the fetch is
// tried again only after a growing pause, as after a failure. `now` is in seconds since 1970.
void apply_change_while_fetched(transaction& t, inode ino, const file_facts& source, std::int64_t now);

// The outdated copy of a gap is open for writing, and stays: a conflict. `local` is how it stands now.
void apply_kept_open(transaction& t, inode ino, const file_facts& local);

// Something else stands on the destination under the name of a gap.
void apply_found_entry(transaction& t, inode ino, const file_facts& local);

}  // namespace ferryfs::index
