// The scan merge: one listing of one directory on one side, batch by batch, into the index.
//
// Only differences are written. The names of a batch are merged at once; that a name left is believed only from
// `finish`, after a complete and successful listing. The merge keeps no listing in memory, but the inodes
// that it has seen, 8 bytes each. A name of the source that was deleted or renamed here stays hidden: its row, or the
// renamed entry's, learns what the source now has.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "index/db/transaction.hpp"
#include "index/model/directory_entry.hpp"

namespace ferryfs::index {

struct subdirectory {
  inode ino;
  std::string path;
  file_facts attributes;
};

class listing_merge {
 public:
  // Returns the entry `name` of this directory as it is on the destination at this moment. A listing of the destination
  // is older than a file that was fetched while it was read; where the two disagree, this decides. Called inside jobs.
  using recheck = std::function<std::optional<directory_entry>(const std::string& name)>;

  // Whether a row that this listing of the source does not name was excluded from it on purpose, and is not lost.
  using exclusion = std::function<bool(const entry&)>;

  listing_merge(side of, inode directory, std::string path, recheck look = {}, exclusion is_excluded = {});

  // Merges some names; returns the directories among them, to be listed next.
  std::vector<subdirectory> batch(transaction& t, const std::vector<directory_entry>& names);

  // The source has these names too, but not as they are to show: a file that is empty for a moment. Their rows stay as
  // they were, unless those are excluded themselves.
  void keep_rows_of(transaction& t, const std::vector<std::string>& names);

  // The listing was complete: what it did not name left this side. On the source the directory's row takes its
  // attributes, as of before the listing, and `mark` as its listed_mtime.
  void finish(transaction& t, const file_facts& attributes, std::int64_t mark);

  // The same for a source whose listing may lack names, in two steps. First: the names that it did not list and has, as
  // far as the index knows, without those that are excluded.
  struct unnamed {
    inode ino;         // of a hidden row, too
    std::string name;  // on the source
  };
  std::vector<unnamed> not_named(transaction& t);
  // Then: all of those stay as they are, until remove_from_source() is called for them. Where there are any, `mark`
  // should be 0, so that the directory is listed again.
  void finish_keeping(transaction& t, const file_facts& attributes, std::int64_t mark);

 private:
  inode merge(transaction& t, const directory_entry& name);
  directory_entry beside_known(transaction& t, directory_entry name) const;
  inode unchanged(transaction& t, const directory_entry& name) const;
  std::vector<inode> unseen(transaction& t) const;
  std::optional<inode> merge_hidden(transaction& t, const directory_entry& name);
  inode reopen_conflict(transaction& t, const entry& hidden, const directory_entry& name);
  inode shadow(transaction& t, const directory_entry& name);
  void finish_hidden(transaction& t);
  void end(transaction& t, const file_facts& attributes, std::int64_t mark);
  std::vector<entry> hidden_unseen(transaction& t) const;
  bool is_excluded(const entry& row) const { return is_excluded_ && is_excluded_(row); }
  inode insert(transaction& t, directory_entry name);
  bool change_row(transaction& t, const entry& before, directory_entry name);
  void note(transaction& t, const entry& before, const entry& after) const;

  side side_;
  inode directory_;
  std::string path_;
  recheck recheck_;
  exclusion is_excluded_;
  std::optional<bool> cached_;  // the kernel may hold names of this directory; unknown before the first batch
  bool fresh_ = false;          // no row stood in this directory when the merge began
  bool hides_ = false;          // a hidden row stands in it
  bool has_lost_ = false;       // there are lost pictures, one of which may be here again
  std::vector<inode> seen_;     // of hidden rows as well
};

}  // namespace ferryfs::index
