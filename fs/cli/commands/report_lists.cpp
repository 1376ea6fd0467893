#include "fs/cli/commands/report_lists.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "fs/report/recorder.hpp"
#include "index/base/error.hpp"
#include "index/base/hex.hpp"
#include "index/base/path.hpp"
#include "index/query/reasons.hpp"
#include "index/query/refused.hpp"
#include "index/query/set.hpp"
#include "index/query/unlisted_paths.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {
namespace {

[[noreturn]] void refuse_line(const std::string& file) {
  throw error(exit_code::local,
              fmt::format("{}: the list is damaged; one of its lines is not \"SIZE PATH\"", printable(file)));
}

// Calls `each` with the lines of a list of the mount's until it returns false.
void for_each_line(const std::string& path, const std::function<bool(std::string_view)>& each) {
  const unique_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string text, piece(256 << 10, '\0');
  while (true) {
    const ssize_t n = file ? ::read(file.get(), piece.data(), piece.size()) : -1;
    if (n < 0)
      throw error(exit_code::local, fmt::format("{}: {}; is the mount alive?", printable(path), std::strerror(errno)));
    if (n == 0) break;
    text.append(piece, 0, static_cast<std::size_t>(n));
    std::size_t at = 0;
    for (std::size_t end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
      if (!each(std::string_view(text).substr(at, end - at))) return;
    text.erase(0, at);
  }
}

// A list of the mount's with the reasons: lists/SET.json, a picture a line.
void list_mounted_reasons(const archive_location& where, const std::string& set, listing_output& out) {
  const std::string path = fmt::format("{}/{}/lists/{}.json", where.root, own_directory, set);
  for_each_line(path, [&](std::string_view line) {
    if (!line.starts_with('{')) return true;  // the array's brackets
    if (line.ends_with(',')) line.remove_suffix(1);
    try {
      const json picture = json::parse(line);
      const std::optional<std::string> name = picture.contains("path_hex")
                                                  ? from_hex(picture["path_hex"].get<std::string>())
                                                  : picture.at("path").get<std::string>();
      if (!name) refuse_line(path);
      return !is_at_or_below(*name, where.relative) ||
             out.add(picture.at("size").get<std::uint64_t>(), *name, picture.at("reason").get<std::string>());
    } catch (const json::exception&) {
      refuse_line(path);
    }
  });
}

void list_mounted(const archive_location& where, const std::string& set, listing_output& out) {
  if (index::has_reasons(set) && out.tells_why(set)) return list_mounted_reasons(where, set, out);
  const std::string path = fmt::format("{}/{}/lists/{}.txt", where.root, own_directory, set);
  for_each_line(path, [&](std::string_view text) {
    const auto line = index::parse_line(text);
    if (!line) refuse_line(path);
    return !is_at_or_below(line->path, where.relative) || out.add(line->size, line->path);
  });
}

}  // namespace

void list_now(const archive_location& where, const std::string& set, listing_output& out) {
  if (where.mounted) return list_mounted(where, set, out);
  index::reader r{index_of(where.root)};
  if (index::has_reasons(set) && out.tells_why(set))
    index::list_reasons(r, set, where.relative,
                        [&](std::string_view path, std::uint64_t size, const std::string& reason) {
                          return out.add(size, path, reason);
                        });
  else if (set == "lost")
    r.lost_pictures([&](const index::lost_picture& l) {
      return !is_at_or_below(l.path, where.relative) || out.add(l.size, l.path);
    });
  else if (set == "unlisted")
    for (const auto& path : index::unlisted_paths(r)) {
      if (is_at_or_below(path, where.relative) && !out.add(0, path)) return;
    }
  else if (set == "refused")
    index::list_refused(r, where.relative,
                        [&](std::string_view path, std::uint64_t size) { return out.add(size, path); });
  else
    index::list(r, *index::set_named(set), where.relative,
                [&](std::string_view path, const index::listed_picture& p) { return out.add(p.size, path); });
}

void list_then(const history& h, const report_name& which, const archive_location& where, const std::string& set,
               listing_output& out) {
  auto lines = h.list(which, set);
  for (std::string text; lines && lines->next(text);) {
    const auto line = index::parse_line(text);
    if (!line) refuse_line(which.stem);
    if (is_at_or_below(line->path, where.relative) && !out.add(line->size, line->path)) return;
  }
}

}  // namespace ferryfs::fs
