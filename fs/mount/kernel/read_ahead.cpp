#include "fs/mount/kernel/read_ahead.hpp"

#include <fstream>

#include "fs/process/mounts.hpp"

namespace ferryfs::fs {

void raise_read_ahead(const std::string& mountpoint) {
  const auto device = device_at(mountpoint);
  if (!device.empty()) std::ofstream{"/sys/class/bdi/" + device + "/read_ahead_kb"} << "1024\n";
}

}  // namespace ferryfs::fs
