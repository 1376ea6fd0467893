// Reading a directory on this machine.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

namespace ferryfs {

struct local_entry {
  std::string name;
  struct stat attributes;
  std::string target;  // of a symbolic link
};

// Calls `each` for every name in `path` below `root`, of whatever kind. Returns 0, or the errno that
// kept it from being read to its end. A name that vanishes meanwhile is passed over. A name that can't be looked at for
// any other reason is left out: `each` gets the others, and then the errno is returned, with the name in `unreadable`.
// `looks` gets each name before the call that looks at it, which may never return, and an empty name after it.
int list_directory(int root, const std::string& path, const std::function<void(local_entry&&)>& each,
                   std::string* unreadable = nullptr, const std::function<void(const char*)>& looks = {});

// One name in an open directory (O_PATH will do); false, and errno set, where it can't be looked at (ENOENT: it is not
// there).
bool look_at(int directory, const std::string& name, local_entry& entry);

}  // namespace ferryfs
