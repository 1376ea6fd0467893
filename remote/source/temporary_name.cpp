#include "remote/source/temporary_name.hpp"

#include <fmt/format.h>

#include "index/base/hex.hpp"
#include "index/base/path.hpp"
#include "remote/files/sha256.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::string_view suffix = ".ferryfs-part";

}  // namespace

std::string temporary_name(std::string_view name, std::string_view owner) {
  const std::size_t room = longest_name - 2 - owner.size() - suffix.size();
  if (name.size() <= room) return fmt::format(".{}.{}{}", name, owner, suffix);
  sha256 hash;
  hash.add(std::as_bytes(std::span(name)));
  const std::string mark = '~' + to_hex(hash.result().substr(0, 16));
  return fmt::format(".{}{}.{}{}", name.substr(0, room - mark.size()), mark, owner, suffix);
}

bool is_temporary_name(std::string_view name) noexcept {
  return name.size() > 1 + suffix.size() && name.starts_with('.') && name.ends_with(suffix);
}

}  // namespace ferryfs::remote
