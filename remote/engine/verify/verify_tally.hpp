// Counts the pictures of a verification by their outcome. Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "index/base/mutex.hpp"

namespace ferryfs::remote {

struct verify_result {
  bool known = true;                   // there is such a path
  std::uint64_t files = 0, bytes = 0;  // as they should be
  std::uint64_t newly_digested = 0;    // of them, whose digest was not known before
  std::uint64_t same_on_source = 0;    // of them, confirmed by the source's own digest
  std::uint64_t wrong = 0;             // other bytes, or gone
  std::uint64_t unverified = 0;        // could not be read or compared, or changed meanwhile
  std::uint64_t uncompared = 0;        // the source was to be asked for their digests, and is away or not believed
  std::string why_uncompared;          // of the first of them
  bool complete = false;               // it was not stopped
};

struct verify_progress {
  std::atomic<bool> running = false;
  std::atomic<std::uint64_t> files = 0, bytes = 0, wrong = 0, all_files = 0, all_bytes = 0;
};

class verify_tally {
 public:
  // `line` gets one line for each picture that is not as it should be, one call at a time.
  verify_tally(verify_progress& progress, const std::function<void(const std::string&)>& line)
      : progress_(progress), line_(line) {}

  void add_read(std::uint64_t bytes) { progress_.bytes += bytes; }
  // A picture of this many bytes is as it should be.
  void add_sound(std::uint64_t bytes, bool newly_digested, bool compared);
  void add_wrong(const std::string& path, const std::string& why);
  void add_unverified(const std::string& path, const std::string& why);
  void add_uncompared(const std::string& why);
  verify_result result();

 private:
  std::string count_problem(const std::string& path, const std::string& why);

  verify_progress& progress_;
  const std::function<void(const std::string&)>& line_;
  mutex mutex_{lock_level::verification};  // held while line_ runs
  verify_result sum_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::remote
