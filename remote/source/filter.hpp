// The names of the source that are left out: --exclude patterns, the junk of a known kind of archive, and what a push
// has not finished yet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class filter {
 public:
  // Patterns as of rsync's --exclude, in shell style: one without '/' matches a name anywhere, one that begins with
  // '/' the path from the root, any other the end of a path; a '/' at its end, directories only. Profiles: "generic",
  // "webcampak". Throws ferryfs::error (usage) on another.
  filter(const std::vector<std::string>& patterns, const std::string& profile);

  bool excludes(const std::string& directory, const directory_entry& f) const;
  // Changes when the filter does: a directory that was listed through another one must be listed again.
  const std::string& fingerprint() const noexcept { return fingerprint_; }

 private:
  struct pattern {
    std::string glob;
    bool at_root, whole_path, directories_only;
    bool matches(const std::string& directory, const std::string& name) const;
  };
  void add(std::string text);
  std::vector<pattern> patterns_;
  bool no_empty_pictures_ = false;
  std::string fingerprint_;
};

}  // namespace ferryfs::remote
