#include "tests/doubles/files.hpp"

#include <fcntl.h>

#include <array>

#include "tests/doubles/descriptor.hpp"

namespace ferryfs::test {

void write_file(const std::filesystem::path& path, std::string_view content) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  const descriptor file(checked(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), path.string()));
  while (!content.empty()) {
    const auto count = checked(::write(file.get(), content.data(), content.size()), path.string());
    content.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string read_file(const std::filesystem::path& path) {
  const descriptor file(checked(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path.string()));
  std::string content;
  std::array<char, 131072> buffer;
  for (;;) {
    const auto count = checked(::read(file.get(), buffer.data(), buffer.size()), path.string());
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace ferryfs::test
