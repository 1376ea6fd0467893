// An archive opened to be worked on: the checks before anything is changed, then the lock, the index and the engine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "remote/destination/destination.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/settings.hpp"

namespace ferryfs::fs {

struct engine {
  std::unique_ptr<remote::destination> where;
  std::unique_ptr<remote::migration> archive;
};

enum class need_source {
  now,       // an unreachable source is an error
  sometime,  // a known archive does without it for now
  if_there,  // a known archive does without it to the end
  never,     // it is not asked for anything, nor connected to
};

// Opens SOURCE and DESTINATION. Until both are found good, nothing is created or changed. Remembers the settings in the
// index. The limit, in bytes a second, is `limit`, or else the one that the index remembers. `anew`: with a new index,
// whatever there was. Throws ferryfs::error.
engine open_engine(remote::settings s, const std::string& destination, const std::string& mountpoint, need_source need,
                   std::optional<std::uint64_t> limit = {}, bool anew = false);

// Prints one line to stderr where the destination can't do all that it should.
void say_what_is_lacking(const remote::destination& where);

// The settings of an archive that was worked on before.
remote::settings known_settings(const std::string& destination);

}  // namespace ferryfs::fs
