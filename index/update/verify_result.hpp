// The result of a verification: a digest of a local picture, entered in the index inside a writer's job. `read` is the
// local side as it was when the bytes were read; where the row shows another by now, nothing is entered. Each function
// returns whether it changed the row.
#pragma once

#include <string>

#include "index/db/transaction.hpp"

namespace ferryfs::index {

// The source's copy became another while the local file of `e` was open for writing: from here on a conflict.
void keep_open(entry& e);

// The picture's bytes are right: a digest that is not known yet is stored, and a conflict that came of other bytes
// ends. One of a picture whose reason is_sound_here ends only where the source's bytes are the same, `compared` with
// it.
bool apply_sound_digest(transaction& t, inode ino, const file_facts& read, const std::string& sha256, bool compared);

// The picture's bytes are as they were, and the source's are not the same: a conflict. The row keeps the digest of what
// is here.
bool apply_source_difference(transaction& t, inode ino, const file_facts& read, const std::string& sha256);

// The picture's bytes are wrong, with the size and time that they should have: a conflict where the source has the
// picture. The row keeps the digest that it has, or gets `sha256`, the one that it should have.
bool apply_spoilt_digest(transaction& t, inode ino, const file_facts& read, const std::string& sha256,
                         const std::string& cause);

// Of an entry that awaits_digest(), where the source still shows it as `source`: its bytes are the same there, and the
// file here has the source's time now, as `now`.
bool apply_same_bytes(transaction& t, inode ino, const file_facts& read, const file_facts& now,
                      const file_facts& source);
// The source has other bytes than such an entry: it becomes a gap, to be fetched anew.
bool apply_other_bytes(transaction& t, inode ino, const file_facts& source);

// The picture's file is gone: a failed gap, due at once, where the source has the picture. `now` is in seconds since
// 1970.
bool apply_missing_file(transaction& t, inode ino, const file_facts& read, std::int64_t now);

}  // namespace ferryfs::index
