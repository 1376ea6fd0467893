// The process that works on an archive and holds its lock, where its mount stands, and what to do about it.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fs/process/mounts.hpp"

namespace ferryfs::fs {

struct holder {
  pid_t pid = 0;           // 0: it does not tell
  std::string mountpoint;  // as it was mounted; empty: without a mount, as sync works
  std::string device;      // of the mount, MAJOR:MINOR; empty: it does not stand yet
};

// The holder of the archive at `destination`, which nothing is mounted over; nothing: nobody holds it.
std::optional<holder> holder_of(const std::string& destination);

// The same, after a little while where the mount was just taken off and its process is about to end.
std::optional<holder> lasting_holder_of(const std::string& destination);

// Writes the mount's device into the file `lock`, once the mount stands: by it the mount is known in every namespace.
void tell_device(const std::string& lock, const std::string& mountpoint);

// Where its mount is to be seen in our mount namespace; empty: nowhere.
std::string mountpoint_here(const holder& h);

// One line: which process it is, and the remedy.
std::string text_of(const holder& h);
// {"pid","mountpoint","elsewhere":[{"pid","command","mountpoint"}],"why"}.
nlohmann::ordered_json json_of(const holder& h);

// Throws ferryfs::error (local) where somebody works on the archive at `destination`, through a mount over it or
// without one. Waits a little first: a mount that was just taken off has its index to close.
void refuse_in_use(const std::string& destination);

}  // namespace ferryfs::fs
