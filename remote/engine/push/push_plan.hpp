// Which pictures a push sends, under which name of the source, and what of the source's they may replace. Threads: the
// push's own alone.
#pragma once

#include <optional>
#include <string>

#include "remote/engine/push/source_directories.hpp"

namespace ferryfs::remote {

class push_plan {
 public:
  push_plan(index::reader& reader, const filter& excluded, bool overwritten, source_directories& directories)
      : reader_(reader), excluded_(excluded), overwritten_(overwritten), directories_(directories) {}

  // A new walk begins.
  void clear() { directories_.clear(); }

  // Neither a target nor a refusal: the picture is not for the source.
  struct decision {
    std::optional<std::string> target;
    std::optional<failure> refusal;
  };
  // Makes the directories that it needs. Blocks.
  decision decide(const entry& e);

  // The file of the source that a picture may replace.
  std::optional<file_facts> replaced_by(const entry& e);

 private:
  index::reader& reader_;
  const filter& excluded_;
  const bool overwritten_;
  source_directories& directories_;
};

}  // namespace ferryfs::remote
