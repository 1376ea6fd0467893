#include "tests/doubles/disk.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/mounts.hpp"
#include "tests/doubles/wait_until.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

// An image on a loop device, or a driver in user space on it.
class image_disk : public disk {
 public:
  image_disk(const std::string& size, const std::string& make, const std::string& mount) {
    need("mkdir disk; truncate -s " + size + " image; " + make);
    need(mount);
  }
};

class tmpfs_disk : public disk {
 public:
  tmpfs_disk() { need("mkdir disk; mount -t tmpfs -o size=200m none disk"); }
};

class btrfs_disk : public image_disk {
 public:
  btrfs_disk() : image_disk("300M", "mkfs.btrfs -q image", "mount -o loop image disk") {
    need("btrfs -q subvolume create disk/20240102");
  }
};

class mergerfs_disk : public disk {
 public:
  mergerfs_disk() { need("mkdir disk branch; mergerfs -o cache.files=off branch disk"); }
};

// The client finds the brick by a port of loopback; no daemon manages them.
class gluster_disk : public disk {
 public:
  gluster_disk() {
    need("command -v glusterfsd >/dev/null || { echo no glusterfsd >&2; exit 1; }; mkdir disk brick");
    const std::string port = std::to_string(20000 + ::getpid() % 10000), at = directory().string();
    write_file(at + "/brick.vol", "volume posix\n  type storage/posix\n  option directory " + at +
                                      "/brick\nend-volume\n"
                                      "volume locks\n  type features/locks\n  subvolumes posix\nend-volume\n"
                                      "volume server\n  type protocol/server\n  option transport-type tcp\n"
                                      "  option transport.socket.bind-address 127.0.0.1\n"
                                      "  option transport.socket.listen-port " +
                                      port +
                                      "\n  option auth.addr.locks.allow 127.0.0.1\n  subvolumes locks\nend-volume\n");
    write_file(at + "/client.vol",
               "volume client\n  type protocol/client\n  option transport-type tcp\n  option remote-host 127.0.0.1\n"
               "  option remote-port " +
                   port + "\n  option remote-subvolume locks\nend-volume\n");
    brick_.emplace(
        std::vector<std::string>{"glusterfsd", "--no-daemon", "-f", at + "/brick.vol", "-l", at + "/brick.log"});
    // Until the brick answers, a mount comes about and holds nothing.
    const auto mounted = [&] {
      run({"glusterfs", "-f", at + "/client.vol", "-l", at + "/client.log", root()});
      if (run({"stat", "-f", root()}, 5s).code == 0 && !mounts_below(root()).empty()) return true;
      ::umount2(root().c_str(), MNT_DETACH);
      return false;
    };
    if (!wait_until(mounted, 20s)) skip("no GlusterFS: " + read_file(at + "/client.log"));
  }
  ~gluster_disk() override { ::umount2(root().c_str(), 0); }

 private:
  std::optional<process> brick_;
};

}  // namespace

void disk::need(const std::string& command) const {
  if (::geteuid() != 0) skip("only root makes and mounts file systems");
  process_options here;
  here.directory = dir_.path();
  const auto result = run({"sh", "-c", command}, 60s, here);
  if (result.code != 0) skip(command + ": " + result.err);
}

void disk::cut_power() {
  need("xfs_io -x -c shutdown disk");
  REQUIRE(wait_until([&] { return ::umount2(root().c_str(), 0) == 0; }, 20s));  // a killed process may be ending yet
  need("mount -o loop image disk");
}

std::unique_ptr<disk> make_disk(const std::string& kind) {
  const char* const loop = "mount -o loop image disk";
  if (kind == "ext4") return std::make_unique<image_disk>("200M", "mkfs.ext4 -q image", loop);
  if (kind == "xfs") return std::make_unique<image_disk>("400M", "mkfs.xfs -q image", loop);
  if (kind == "btrfs") return std::make_unique<btrfs_disk>();
  if (kind == "tmpfs") return std::make_unique<tmpfs_disk>();
  if (kind == "ntfs-3g")
    return std::make_unique<image_disk>("200M", "mkfs.ntfs -F -Q -q image 2>/dev/null", "ntfs-3g image disk");
  if (kind == "lowntfs-3g")
    return std::make_unique<image_disk>("200M", "mkfs.ntfs -F -Q -q image 2>/dev/null",
                                        "lowntfs-3g -o ignore_case image disk");
  if (kind == "mergerfs") return std::make_unique<mergerfs_disk>();
  if (kind == "glusterfs") return std::make_unique<gluster_disk>();
  throw std::logic_error("no disk of kind " + kind);
}

}  // namespace ferryfs::test
