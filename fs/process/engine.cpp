#include "fs/process/engine.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <filesystem>

#include "fs/process/capabilities_json.hpp"
#include "fs/process/holder.hpp"
#include "fs/process/rebuild.hpp"
#include "fs/process/settings_json.hpp"
#include "fs/process/switches.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "index/db/reader.hpp"
#include "index/db/schema.hpp"
#include "remote/destination/private_directory.hpp"
#include "remote/source/absent_archive.hpp"
#include "remote/source/open/open_archive.hpp"
#include "remote/source/ssh/target.hpp"

namespace ferryfs::fs {
namespace {

// The settings in the index of a destination, if it has one. Checks on the way that the index can be read.
std::optional<remote::settings> remembered(const std::string& destination) {
  const std::string path = fmt::format("{}/{}/index.db", destination, own_directory);
  remote::check_private(destination);
  if (!std::filesystem::exists(path) || index::is_blank(path)) return std::nullopt;
  index::about_index about{path};
  return read_settings(about.meta);
}

// The part of SOURCE that says which archive it is; host, port and user may change.
std::string path_part(const std::string& source) {
  if (!remote::ssh::is_remote(source)) return source;
  constexpr std::string_view scheme = "sftp://";
  if (source.starts_with(scheme)) return source.substr(std::min(source.find('/', scheme.size()), source.size()));
  return source.substr(source.find(':') + 1);
}

// The failure of a source that is not asked any more.
[[noreturn]] void refuse_silent(const remote::settings& s) {
  throw error(exit_code::source,
              fmt::format("the source does not answer: {} (nothing for {} s); check what is mounted there",
                          printable(s.source), s.io_timeout.count()));
}

void refuse_other_source(const remote::settings& known, const remote::settings& given, bool answers) {
  if (path_part(known.source) == path_part(given.source)) return;
  if (!answers) refuse_silent(given);  // a link in its path may lead to the same
  throw error(exit_code::usage, fmt::format("the destination belongs to the source {}, not {}; choose another "
                                            "destination, or remove its .ferryfs/ to start from nothing",
                                            printable(known.source), printable(given.source)));
}

void refuse_overlap(const remote::settings& s, const std::string& destination, const std::string& mountpoint) {
  if (remote::ssh::is_remote(s.source)) return;
  const std::string real = real_path(destination);
  if (is_at_or_below(real, s.source))
    throw error(exit_code::usage,
                fmt::format("{}: the destination lies inside the source; choose one outside", printable(destination)));
  if (is_at_or_below(s.source, real))
    throw error(exit_code::usage,
                fmt::format("{}: the source lies inside the destination; choose one outside", printable(s.source)));
  if (!mountpoint.empty() && (is_at_or_below(mountpoint, s.source) || is_at_or_below(s.source, mountpoint)))
    throw error(
        exit_code::usage,
        fmt::format("{}: the mountpoint lies inside the source, or the source inside it; choose another mountpoint",
                    printable(mountpoint)));
}

std::unique_ptr<remote::archive> open_source(const remote::settings& s, need_source need, bool answers) {
  if (need == need_source::never)
    return std::make_unique<remote::absent_archive>("this command does not connect to the source");
  try {
    return remote::open_archive(s, answers);
  } catch (const error& e) {
    if (need != need_source::if_there || e.code() != exit_code::source) throw;
    return std::make_unique<remote::absent_archive>(e.what());
  }
}

}  // namespace

engine open_engine(remote::settings s, const std::string& destination, const std::string& mountpoint, need_source need,
                   std::optional<std::uint64_t> limit, bool anew) {
  const remote::filter checked{s.exclude, s.profile};
  // First: what stands in .ferryfs/ is the mount's, or about to change.
  refuse_in_use(destination);
  // A source that the index remembers was located once.
  const bool answers = need == need_source::never || remote::locate_source(s);
  engine e;
  e.where = std::make_unique<remote::destination>(std::filesystem::absolute(destination).lexically_normal());
  refuse_overlap(s, destination, mountpoint);
  const auto known = remembered(destination);
  if (known) refuse_other_source(*known, s, answers);
  auto source = open_source(s, need, answers);
  if (const auto health = source->state(); !health.reachable) {
    if (!known || need == need_source::now) throw error(exit_code::source, health.why);
    if (need == need_source::sometime)
      spdlog::warn("the source is not reachable, and only what is here already can be read: {}", health.why);
  }
  e.where->acquire(mountpoint);
  // Read while the archive is ours: ctl may have set it a moment before.
  if (const auto last = remembered(destination); last && !limit) limit = last->limit;
  s.limit = limit.value_or(0);
  s.mountpoint = !mountpoint.empty() ? mountpoint : known ? known->mountpoint : "";
  const bool paused = anew && put_index_aside(s, *e.where);
  e.archive = std::make_unique<remote::migration>(s, *e.where, std::move(source));
  e.archive->index().run([&](index::transaction& t) {
    write_settings(t, s);
    if (paused) write_pause(t, true);
    write_capabilities(t, e.where->can());
    // The view asks for the root's listing before it answers for a name in it.
    const auto root = t.by_inode(root_inode);
    if (root && !root->source) {
      entry after = *root;
      after.source = root->local;
      after.state = state::common;
      t.update(*root, after);
    }
  });
  e.archive->index().sync();
  return e;
}

void say_what_is_lacking(const remote::destination& where) {
  const std::string lacking = where.lacking();
  if (lacking.empty()) return;
  std::fprintf(stderr, "ferryfs: %s: what this file system can't do: %s\n", printable(where.path()).c_str(),
               lacking.c_str());
}

remote::settings known_settings(const std::string& destination) {
  auto s = remembered(destination);
  if (!s)
    throw error(exit_code::usage,
                fmt::format("{}: not a ferryfs archive; mount or sync it first", printable(destination)));
  return *std::move(s);
}

}  // namespace ferryfs::fs
