// Code that runs with some system calls refused, as on a kernel or a file system that lacks them.
#pragma once

#include <functional>
#include <vector>

namespace ferryfs::test {

struct refused_syscall {
  long number;           // SYS_…
  int error;             // its errno
  int flags_at = -1;     // refused only where this argument has one of `flags`; -1: always
  unsigned flags = ~0U;  // of that argument
};

// Runs `code` on a thread on which those calls fail, and on all that it starts. Ends the test case as skipped where the
// kernel filters no calls. Assertions in `code` count as ever.
void run_with_refused(const std::vector<refused_syscall>& calls, const std::function<void()>& code);

}  // namespace ferryfs::test
