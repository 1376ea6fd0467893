#include "remote/source/filter.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/source/temporary_name.hpp"

namespace ferryfs::remote {

filter::filter(const std::vector<std::string>& patterns, const std::string& profile) {
  if (profile == "webcampak") {
    // Scratch copies of whole days, broken uploads, and directories <epoch>.NN of broken uploads with valid names.
    for (const char* junk : {"process-*/", "*.tmp", "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9].[0-9][0-9]/"})
      add(junk);
    no_empty_pictures_ = true;
  } else if (profile != "generic") {
    throw error(exit_code::usage,
                fmt::format("--profile {}: unknown; choose generic or webcampak", printable(profile)));
  }
  for (const auto& p : patterns) add(p);
  fingerprint_ = profile;
  for (const auto& p : patterns) fingerprint_ += '\n' + p;
}

void filter::add(std::string text) {
  pattern p;
  p.directories_only = text.ends_with('/');
  if (p.directories_only) text.pop_back();
  p.whole_path = text.find('/') != std::string::npos;
  p.at_root = text.starts_with('/');
  if (p.at_root) text.erase(0, 1);
  if (text.empty()) throw error(exit_code::usage, "--exclude: an empty pattern");
  p.glob = std::move(text);
  patterns_.push_back(std::move(p));
}

bool filter::pattern::matches(const std::string& directory, const std::string& name) const {
  if (!whole_path) return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
  const std::string path = join(directory, name);
  for (std::size_t from = 0;; ++from) {
    if (::fnmatch(glob.c_str(), path.c_str() + from, FNM_PATHNAME) == 0) return true;
    from = at_root ? std::string::npos : path.find('/', from);
    if (from == std::string::npos) return false;
  }
}

bool filter::excludes(const std::string& directory, const directory_entry& f) const {
  if (directory.empty() && f.name == own_directory) return true;  // the name that the view keeps for itself
  if (is_temporary_name(f.name)) return true;
  const bool is_directory = S_ISDIR(f.attrs.mode);
  if (no_empty_pictures_ && S_ISREG(f.attrs.mode) && f.attrs.size == 0 &&
      (f.name.ends_with(".jpg") || f.name.ends_with(".raw")))
    return true;
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const pattern& p) {
    return (is_directory || !p.directories_only) && p.matches(directory, f.name);
  });
}

}  // namespace ferryfs::remote
