// An archive that is written to: two days on the old server, and nothing of them here.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"

namespace ferryfs::test {

// The errno of a call that went wrong; 0 where it did not.
inline int refused(std::int64_t result) { return result < 0 ? errno : 0; }

inline std::size_t files_in(const std::filesystem::path& path, const char* set) {
  return nlohmann::json::parse(run_ferryfs({"status", "--json", path}).out)[set]["files"];
}

inline void rescan(const std::filesystem::path& path) { CHECK(run_ferryfs({"ctl", path, "rescan"}).code == 0); }

struct store {
  ferry f;
  std::optional<mount_fixture> mount;
  explicit store(std::vector<std::string> more = {}) {
    for (const char* day : {"20240101", "20240102"})
      for (int i = 0; i < 3; ++i)
        write_old(f.from / day / (std::to_string(i) + ".jpg"), noise(50'000, static_cast<unsigned>(i)));
    more.insert(more.end(), still.begin(), still.end());
    mount.emplace(f.options(more));
    mount->expect_log(still_says);
  }
  std::filesystem::path operator/(const std::filesystem::path& below) const { return *mount / below; }
  bool downloaded() const {
    for (const auto& at : std::filesystem::recursive_directory_iterator(f.to))
      if (at.path().extension() == ".jpg" && at.is_regular_file() && at.file_size() == 50'000) return true;
    return false;
  }
  void remount() {
    CHECK(mount->stop() == 0);
    mount->start();
  }
};

}  // namespace ferryfs::test
