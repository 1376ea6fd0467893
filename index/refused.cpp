#include "index/refused.hpp"

#include <algorithm>
#include <utility>

#include "index/path.hpp"
#include "index/reader.hpp"
#include "index/set.hpp"
#include "index/transaction.hpp"

namespace ferryfs::index {
namespace {

struct placed {
  std::string path;
  inode directory;
  refused_name refused;
};

std::vector<placed> all_of(reader& r) {
  std::vector<placed> all;
  r.refusals([&](inode directory, refused_name&& n) {
    const auto path = r.path(directory);
    if (path) all.push_back({join(*path, n.name), directory, std::move(n)});
  });
  std::sort(all.begin(), all.end(), [](const placed& a, const placed& b) { return a.path < b.path; });
  return all;
}

}  // namespace

void record_refused(transaction& t, inode directory, const std::vector<refused_name>& names, bool whole) {
  if (whole) t.refused.doubt(directory);
  for (const auto& n : names) t.refused.add(directory, n);
  if (whole) t.refused.forget_doubted(directory);
}

void list_refused(reader& r, std::string_view below,
                  const std::function<bool(const std::string& path, const refused_name&)>& each) {
  for (const auto& n : all_of(r))
    if (is_at_or_below(n.path, below) && !each(n.path, n.refused)) return;
}

void list_all_refused(reader& r, std::string_view below,
                      const std::function<bool(std::string_view path, std::uint64_t size)>& each) {
  auto names = all_of(r);
  std::erase_if(names, [&](const placed& n) { return !is_at_or_below(n.path, below); });
  auto next = names.begin();
  bool goes_on = true;
  const auto names_before = [&](std::string_view path) {
    for (; goes_on && next != names.end() && (path.empty() || next->path < path); ++next) goes_on = each(next->path, 0);
  };
  list(r, set::refused, below, [&](std::string_view path, const listed_picture& p) {
    names_before(path);
    return goes_on = goes_on && each(path, p.size);
  });
  names_before("");
}

std::uint64_t skip_refused(transaction& t, reader& r, std::string_view path) {
  std::uint64_t skipped = 0;
  for (const auto& n : all_of(r))
    if (is_at_or_below(n.path, path) || printable(n.path) == path) {
      t.decide("skipped", n.path);
      t.promise(n.directory);
      t.refused.skip(n.directory, n.refused.name);
      ++skipped;
    }
  return skipped;
}

}  // namespace ferryfs::index
