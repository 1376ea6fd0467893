#include "fs/report/picture_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "index/base/hex.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {

std::string picture_json(std::uint64_t size, std::string_view path, std::string_view more) {
  const nlohmann::json text{std::string(path)};
  std::string shown = text[0].dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string exact;
  if (nlohmann::json::parse(shown).get_ref<const std::string&>() != path)
    exact = fmt::format(",\"path_hex\":\"{}\"", to_hex(path));
  return fmt::format("{{{}\"path\":{},\"size\":{}{}}}", more, shown, size, exact);
}

std::string reason_json(std::string_view reason) {
  return fmt::format("\"reason\":{},", nlohmann::json(printable(reason)).dump());
}

}  // namespace ferryfs::fs
