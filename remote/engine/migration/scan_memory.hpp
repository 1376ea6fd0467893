// Notes that a scan leaves in the index's meta for the next one to compare with. Outlives the process. Threads: any;
// what they throw, the index throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"

namespace ferryfs::remote {

class scan_memory {
 public:
  scan_memory(index::writer& index, index::readers& readers) : index_(index), readers_(readers) {}

  // Why the source is not believed; empty: it is.
  std::string suspicion();
  void set_suspicion(const std::string& why);

  // Another file system lies at the source's root than a complete scan saw.
  bool shows_another(const std::optional<std::uint64_t>& file_system);
  // An empty source is as it should be.
  bool may_be_empty();
  void set_source(const std::optional<std::uint64_t>& file_system, bool empty);

  // Directories that were listed through another filter must be listed again.
  bool is_filter_changed(const std::string& fingerprint);
  // A scan of the source has come to its end now.
  void set_scanned(const std::string& fingerprint);

 private:
  std::optional<std::string> meta(const char* key) { return readers_.borrow()->meta(key); }

  index::writer& index_;
  index::readers& readers_;
};

}  // namespace ferryfs::remote
