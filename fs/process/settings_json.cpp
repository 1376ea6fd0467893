#include "fs/process/settings_json.hpp"

#include "fs/process/settings_text.hpp"

namespace ferryfs::fs {
namespace {

constexpr const char* key = "settings";

}  // namespace

void write_settings(index::transaction& t, const remote::settings& s) { t.put_meta(key, text_of(s)); }

std::optional<remote::settings> read_settings(index::get_meta& meta) {
  const auto text = meta(key);
  return text ? std::optional(parse_settings(*text)) : std::nullopt;
}

}  // namespace ferryfs::fs
