// The switches of the background, pause, resume and limit RATE: set at once, and remembered by the index over restarts.
#pragma once

#include <string>
#include <string_view>

#include "fs/process/command_result.hpp"
#include "remote/engine/migration/migration.hpp"

namespace ferryfs::fs {

// Whether the index remembers a pause.
bool is_paused(index::get_meta& meta);
// Stores in the index that replication is paused, or is no longer.
void write_pause(index::transaction& t, bool on);

bool is_switch(std::string_view verb);

// Sets a switch, in the engine and in its index; on any thread. One that the index could not store is set all the same,
// and the answer says so.
command_result set_switch(remote::migration& m, std::string_view verb, const std::string& argument);

}  // namespace ferryfs::fs
