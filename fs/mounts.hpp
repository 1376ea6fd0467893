// The archives that are mounted on this machine.
#pragma once

#include <string>
#include <vector>

namespace ferryfs::fs {

// The mountpoints of ferryfs in a text of the form of /proc/self/mountinfo (proc(5)), sorted, each once.
std::vector<std::string> mountpoints_in(const std::string& mountinfo);
std::vector<std::string> mountpoints();
// The device number, as MAJOR:MINOR, of the ferryfs that stands at `mountpoint`; empty where none does.
std::string device_in(const std::string& mountinfo, const std::string& mountpoint);

}  // namespace ferryfs::fs
