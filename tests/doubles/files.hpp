// Whole files as strings; what the kernel refuses is a std::system_error with its errno.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ferryfs::test {

// Writes the whole file, and the directories above it where they are absent.
void write_file(const std::filesystem::path& path, std::string_view content);

std::string read_file(const std::filesystem::path& path);

}  // namespace ferryfs::test
