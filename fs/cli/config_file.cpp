#include "fs/cli/config_file.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>

#include "index/base/error.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {

std::vector<std::string> with_config(std::vector<std::string> args) {
  std::string file;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--config" && i + 1 < args.size()) file = args[i + 1];
    if (args[i].starts_with("--config=")) file = args[i].substr(9);
  }
  if (file.empty() || args.empty()) return args;
  std::ifstream in{file};
  if (!in) throw error(exit_code::usage, fmt::format("--config {}: cannot be read; check the path", printable(file)));
  std::vector<std::string> from_file;
  for (const auto& item : CLI::ConfigTOML{}.from_config(in)) {
    if (item.name == "++" || item.name == "--") continue;  // a section's begin and end
    const std::string option = "--" + item.name;
    const bool given = std::any_of(args.begin(), args.end(),
                                   [&](const auto& a) { return a == option || a.starts_with(option + "="); });
    if (given) continue;
    for (const auto& value : item.inputs) {
      if (value == "false") continue;
      from_file.push_back(value == "true" ? option : option + "=" + value);
    }
  }
  args.insert(args.begin() + 1, from_file.begin(), from_file.end());
  return args;
}

}  // namespace ferryfs::fs
