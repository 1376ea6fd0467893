// A job for the writer.
#pragma once

#include <exception>
#include <functional>

namespace ferryfs::index {

class transaction;

// May be run twice: once more alone, after its group failed. Outside the index it must leave the same then.
using job = std::function<void(transaction&)>;

// Called after the commit, on the thread that ran the job, with nothing, or with what the job threw (and then none of
// the job's changes are stored). Must not block, wait for another job or take a lock that a thread holds while it waits
// for one. Its exceptions are logged.
using completion = std::function<void(std::exception_ptr)>;

struct queued_job {
  job work;
  completion after;
};

}  // namespace ferryfs::index
