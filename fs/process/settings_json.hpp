// The settings of an archive as its index remembers them, so that `ferryfs scan PATH` needs no SOURCE.
#pragma once

#include <optional>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/engine/settings.hpp"

namespace ferryfs::fs {

void write_settings(index::transaction& t, const remote::settings& s);
std::optional<remote::settings> read_settings(index::get_meta& meta);

}  // namespace ferryfs::fs
