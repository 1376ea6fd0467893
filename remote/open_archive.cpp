#include "remote/open_archive.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <future>

#include "index/error.hpp"
#include "index/path.hpp"
#include "remote/directory/directory_archive.hpp"
#include "remote/sftp/sftp_archive.hpp"
#include "remote/ssh/target.hpp"

namespace ferryfs::remote {
namespace {

std::unique_ptr<archive> open_directory(const settings& s) {
  try {
    return std::make_unique<directory_archive>(s.source);
  } catch (const failure& f) {
    throw error(exit_code::source, f.text + "; name a directory that can be read");
  }
}

}  // namespace

std::unique_ptr<archive> open_archive(const settings& s) {
  if (!ssh::is_remote(s.source)) return open_directory(s);
  const auto target = ssh::resolve(s.source, {s.identities, s.known_hosts, s.ssh_config, s.io_timeout});
  auto opened = std::make_unique<sftp::sftp_archive>(target, s.sessions);
  if (!opened->state().reachable) return opened;
  std::promise<std::pair<std::optional<failure>, attributes>> answer;
  opened->stat("", [&](const auto& why, const attributes& a) { answer.set_value({why, a}); });
  const auto [why, root] = answer.get_future().get();
  if (why && !why->of_connection()) throw error(exit_code::source, why->text + "; check the path of the SOURCE");
  if (!why && !S_ISDIR(root.mode))
    throw error(exit_code::source, fmt::format("{}: not a directory; check the path of the SOURCE", printable(s.source)));
  return opened;
}

bool is_below(const std::string& a, const std::string& b) {
  // "/." ends a path that names a directory, with or without a slash at its end, in one and the same way.
  const auto real = [](const std::string& p) { return std::filesystem::weakly_canonical(p + "/."); };
  const auto real_a = real(a), real_b = real(b);
  const auto [end_b, end_a] = std::mismatch(real_b.begin(), real_b.end(), real_a.begin(), real_a.end());
  return end_b == real_b.end();
}

}  // namespace ferryfs::remote
