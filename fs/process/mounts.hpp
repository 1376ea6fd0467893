// The archives that are mounted on this machine.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ferryfs::fs {

// The mountpoints of ferryfs in a text of the form of /proc/self/mountinfo (proc(5)), sorted, each once.
std::vector<std::string> mountpoints_in(const std::string& mountinfo);
std::vector<std::string> mountpoints();
// The device number, as MAJOR:MINOR, of the ferryfs that stands at `mountpoint`; empty where none does.
std::string device_in(const std::string& mountinfo, const std::string& mountpoint);
// The same of this process's own mounts.
std::string device_at(const std::string& mountpoint);

// Another mount namespace (mount_namespaces(7)) in which the ferryfs of a device stands, as a container or `unshare -m`
// keeps a copy of it.
struct other_namespace {
  pid_t pid;            // the first process in it
  std::string command;  // its name
  std::string mountpoint;
};
// The namespaces with that device which this user may look into, each by a process of it.
std::vector<other_namespace> namespaces_with(const std::string& device);
// Whether this user may look into all, so that a ferryfs that namespaces_with() finds in none stands nowhere.
bool may_look_into_all();

}  // namespace ferryfs::fs
