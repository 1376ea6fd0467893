// Files of a target that product code opens by their names.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/fuzz/input.hpp"

namespace ferryfs::fuzz {

// A directory for as long as the process lives, in $TMPDIR.
inline const std::string& scratch_directory() {
  struct directory {
    directory() : path((std::filesystem::temp_directory_path() / "ferryfs-fuzz-XXXXXX").string()) {
      demand(::mkdtemp(path.data()) != nullptr, "there is room for a directory");
    }
    ~directory() {
      std::error_code problem;
      std::filesystem::remove_all(path, problem);
    }
    std::string path;
  };
  static const directory made;
  return made.path;
}

// Its path.
inline std::string write_scratch(const std::string& name, std::string_view text) {
  std::string path = scratch_directory() + '/' + name;
  std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
  return path;
}

}  // namespace ferryfs::fuzz
