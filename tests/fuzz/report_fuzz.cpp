// What is kept of reports: whatever a damaged disk or a person has made of one, it is shown or said to be damaged.
#include "fs/report/compare.hpp"
#include "fs/report/picture_json.hpp"
#include "index/base/error.hpp"
#include "index/base/hex.hpp"
#include "tests/fuzz/scratch.hpp"

namespace {

using namespace ferryfs;
using fuzz::demand;

// An error is one that tells the operator what to do, and no other exception.
template <typename Show>
void show(Show&& how) {
  try {
    how();
  } catch (const error& e) {
    demand(fuzz::is_one_line(e.what()), "what is damaged is said in a line");
  }
}

void read(std::string_view one, std::string_view other) {
  const fs::history h{fuzz::scratch_directory(), "reports"};
  const fs::report_name first{"20261124T134500Z-1", 1}, second{"20261125T134500Z-2", 2};
  fuzz::write_scratch(first.stem + ".json", one);
  fuzz::write_scratch(second.stem + ".json", other);
  show([&] {
    const auto r = h.read(first);
    demand(!fs::report_line(r).empty() && !fs::report_text(r).empty(), "what was read is shown");
    demand(!r.dump(2).empty(), "and printed");
  });
  show([&] { demand(!fs::compare_text(fs::compare(h, first, second)).empty(), "what was read is compared"); });
}

void name(std::string_view stem) {
  const auto r = fs::parse_report_name(stem);
  if (r) demand(r->stem == stem && stem.ends_with(std::to_string(r->number)), "a name holds its number");
}

// As ferryfs reads a list of the mount.
void picture(std::uint64_t size, std::string_view path, std::string_view reason) {
  const std::string line = fs::picture_json(size, path, fs::reason_json(reason));
  demand(line.find('\n') == std::string::npos, "a picture is one line");
  const auto j = nlohmann::json::parse(line);
  const auto back = j.contains("path_hex") ? from_hex(j["path_hex"].get<std::string>())
                                           : std::optional(j.at("path").get<std::string>());
  demand(back == path && j.at("size").get<std::uint64_t>() == size, "a picture is read back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool has_lists = [] {
    constexpr unsigned char empty[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (const char* stem : {"20261124T134500Z-1", "20261125T134500Z-2"})
      fuzz::write_scratch(stem + std::string(".missing.gz"), {reinterpret_cast<const char*>(empty), sizeof empty});
    return true;
  }();
  fuzz::input in{data, size};
  switch (has_lists ? in.below(4) : 0) {
    case 0:
      name(in.rest());
      break;
    case 1: {
      const auto n = in.number(8);
      const auto path = in.text();
      picture(n, path, in.rest());
      break;
    }
    default: {
      const auto rest = in.rest();
      const auto half = rest.find('\x1e');
      read(rest.substr(0, half), half == std::string_view::npos ? rest : rest.substr(half + 1));
    }
  }
  return 0;
}
