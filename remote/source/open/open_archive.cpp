#include "remote/source/open/open_archive.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "index/base/promise.hpp"
#include "remote/source/local/directory_archive.hpp"
#include "remote/source/local/real_path_in_time.hpp"
#include "remote/source/server/sftp_archive.hpp"
#include "remote/source/ssh/target.hpp"

namespace ferryfs::remote {
namespace {

std::unique_ptr<archive> open_directory(const source_settings& s, bool answers) {
  try {
    return std::make_unique<directory_archive>(s.source, s.io_timeout, answers);
  } catch (const failure& f) {
    throw error(exit_code::source, f.text + "; name a directory that can be read");
  }
}

}  // namespace

bool locate_source(source_settings& s) {
  if (ssh::is_remote(s.source)) return true;
  try {
    auto real = real_path_in_time(s.source, s.io_timeout);
    s.source = real ? *std::move(real) : plain_path(s.source);
    return real.has_value();
  } catch (const failure& f) {
    throw error(exit_code::local, f.text);
  }
}

std::unique_ptr<archive> open_archive(const source_settings& s, bool answers) {
  if (!ssh::is_remote(s.source)) return open_directory(s, answers);
  const auto target = ssh::resolve(s.source, {s.identities, s.known_hosts, s.ssh_config, s.io_timeout});
  auto opened = std::make_unique<sftp::sftp_archive>(target, s.sessions);
  if (!opened->state().reachable) return opened;
  if (const auto root = opened->root_just_seen(); root && S_ISDIR(root->mode)) return opened;
  const auto answer = std::make_shared<promise<std::pair<std::optional<failure>, attributes>>>();
  opened->stat("", [answer](const auto& why, const attributes& a) { answer->set_value({why, a}); });
  const auto [why, root] = answer->get();
  if (why && !why->of_connection())
    throw error(exit_code::source, fmt::format("{}: {}; check the path of the SOURCE", printable(s.source), why->text));
  if (!why && !S_ISDIR(root.mode))
    throw error(exit_code::source,
                fmt::format("{}: not a directory; check the path of the SOURCE", printable(s.source)));
  return opened;
}

}  // namespace ferryfs::remote
