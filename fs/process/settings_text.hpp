// The settings of an archive as text. Pure.
#pragma once

#include <string>

#include "remote/engine/settings.hpp"

namespace ferryfs::fs {

std::string text_of(const remote::settings& s);
// Throws ferryfs::error (local) where the text is not one that `text_of` has made, or a version before this one.
remote::settings parse_settings(const std::string& text);

}  // namespace ferryfs::fs
