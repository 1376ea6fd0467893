#include "index/query/file_kinds.hpp"

#include <algorithm>

namespace ferryfs::index {
namespace {

constexpr std::array<std::string_view, 2> jpg_ends{"jpg", "jpeg"};
constexpr std::array<std::string_view, 13> raw_ends{"raw", "cr2", "cr3", "crw", "nef", "nrw", "dng",
                                                    "arw", "orf", "rw2", "raf", "pef", "srw"};

}  // namespace

file_kind file_kind_of(std::string_view name) noexcept {
  constexpr std::size_t longest = 4;
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || name.size() - dot - 1 > longest) return file_kind::other;
  std::array<char, longest> lower{};
  const auto end = name.substr(dot + 1);
  std::transform(end.begin(), end.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  const std::string_view word{lower.data(), end.size()};
  if (std::find(jpg_ends.begin(), jpg_ends.end(), word) != jpg_ends.end()) return file_kind::jpg;
  return std::find(raw_ends.begin(), raw_ends.end(), word) != raw_ends.end() ? file_kind::raw : file_kind::other;
}

std::string_view name_of(file_kind k) noexcept {
  constexpr std::array<std::string_view, 3> words{"jpg", "raw", "other"};
  return words.at(static_cast<std::size_t>(k));
}

std::array<totals, all_file_kinds.size()> read_totals_by_kind(reader& r) {
  std::array<totals, all_file_kinds.size()> sums;
  r.sizes([&](std::string_view name, state s, std::int64_t source, std::int64_t local) {
    if (s == state::moved) return;  // its entry is counted
    auto& files = sums.at(static_cast<std::size_t>(file_kind_of(name))).files;
    files.at(static_cast<std::size_t>(counted_as(s))) += total{1, source, local};
  });
  return sums;
}

}  // namespace ferryfs::index
