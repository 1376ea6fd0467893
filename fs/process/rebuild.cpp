#include "fs/process/rebuild.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "fs/process/switches.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/source/absent_archive.hpp"

namespace ferryfs::fs {

bool put_index_aside(const remote::settings& s, const remote::destination& where) {
  bool paused = false;
  {
    remote::migration old{s, where, std::make_unique<remote::absent_archive>("the index is about to be rebuilt")};
    paused = is_paused(old.readers().borrow()->meta);
    try {
      old.durable().finish();
    } catch (const std::system_error& e) {
      throw error(exit_code::local, fmt::format("{}; the index stays as it is; check the disk", e.what()));
    }
    old.stop();
  }
  const std::string path = where.index_path();
  if (std::rename(path.c_str(), (path + ".old").c_str()) != 0)
    throw error(exit_code::local, fmt::format("{}/{}/index.db: cannot be renamed: {}; check the permissions",
                                              printable(where.path()), own_directory, std::strerror(errno)));
  for (const char* part : {"-wal", "-shm"}) std::remove((path + part).c_str());
  return paused;
}

}  // namespace ferryfs::fs
