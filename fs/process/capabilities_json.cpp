#include "fs/process/capabilities_json.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <utility>

namespace ferryfs::fs {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* key = "capabilities";

// The parts that are there or not, in the order and with the words in which they are shown.
constexpr std::array<std::pair<const char*, bool remote::capabilities::*>, 11> parts{{
    {"rename_no_replace", &remote::capabilities::rename_no_replace},
    {"rename_exchange", &remote::capabilities::rename_exchange},
    {"hard_links", &remote::capabilities::hard_links},
    {"symbolic_links", &remote::capabilities::symbolic_links},
    {"case_sensitive", &remote::capabilities::keeps_case},
    {"letter_forms", &remote::capabilities::keeps_forms},
    {"modes", &remote::capabilities::modes},
    {"owners", &remote::capabilities::owners},
    {"user_attributes", &remote::capabilities::user_attributes},
    {"shared_memory", &remote::capabilities::shared_memory},
    {"free_space", &remote::capabilities::tells_space},
}};

std::string day_text(std::int64_t seconds) {
  const std::time_t when = seconds;
  std::tm utc{};
  ::gmtime_r(&when, &utc);
  return fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

}  // namespace

void write_capabilities(index::transaction& t, const remote::capabilities& c) {
  json j;
  for (const auto& [name, part] : parts) j[name] = c.*part;
  j["earliest"] = c.earliest, j["latest"] = c.latest, j["time_step_ns"] = c.time_step;
  t.put_meta(key, j.dump());
}

json read_capabilities(index::reader& r) {
  const auto text = r.meta(key);
  const json j = text ? json::parse(*text, nullptr, false) : json();
  return j.is_object() ? j : json();
}

std::string capabilities_text(const json& c) {
  if (!c.is_object()) return "disk         not looked at yet; mount or sync does\n";
  std::string there, absent;
  for (const auto& [name, value] : c.items())
    if (value.is_boolean()) {
      std::string words = name;
      for (char& letter : words) letter = letter == '_' ? ' ' : letter;
      std::string& list = value.get<bool>() ? there : absent;
      list += (list.empty() ? "" : ", ") + words;
    }
  return fmt::format(
      "disk         has: {}\n             has not: {}\n             times: {} to {}, in steps of {} ns\n",
      there.empty() ? "nothing" : there, absent.empty() ? "nothing is lacking" : absent,
      day_text(c.value("earliest", std::int64_t{0})), day_text(c.value("latest", std::int64_t{0})),
      c.value("time_step_ns", 1));
}

}  // namespace ferryfs::fs
