// The result of a push, entered in the index. Each function runs inside a writer's job.
#pragma once

#include <string>

#include "index/db/transaction.hpp"

namespace ferryfs::index {

// A picture that now stands on the source as well.
struct push_result {
  // Its row as it was sent. If it was renamed or deleted here since, the name that it got on the source is hidden. A
  // row that hid that name before, as deleted or kept_local, is erased.
  entry sent;
  file_facts source;  // as the source shows it
  std::string sha256;
};
void apply_push_result(transaction& t, const push_result& p);

// A directory that now stands on the source, made for what goes into it: nothing else in it is waited for. `sent` is
// its row as it was when it was made.
void apply_pushed_directory(transaction& t, const entry& sent, const file_facts& source);

}  // namespace ferryfs::index
