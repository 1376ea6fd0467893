#include "remote/source/ssh/target.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <sstream>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/files/unique_fd.hpp"

extern char** environ;

namespace ferryfs::remote::ssh {
namespace {

[[noreturn]] void malformed(std::string_view source, std::string_view why) {
  throw error(exit_code::usage,
              fmt::format("{}: {}; write /dir, user@host:path or sftp://user@host:port/path", printable(source), why));
}

struct parts {
  std::string user, host, port, path;
};

// user@host[:port], IPv6 addresses in brackets.
void parse_authority(std::string_view source, std::string_view authority, parts& out) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    out.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  // The password is not repeated: messages end up in logs.
  if (out.user.find(':') != std::string::npos) malformed(authority, "a SOURCE must not hold a password");
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) malformed(source, "a '[' without its ']'");
    out.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
  } else {
    out.host = authority.substr(0, authority.find(':'));
    authority.remove_prefix(out.host.size());
  }
  if (authority.starts_with(':'))
    out.port = authority.substr(1);
  else if (!authority.empty())
    malformed(source, "no ':' before the port");
  if (out.host.empty() || out.host.starts_with('-')) malformed(source, "no host name");
}

parts parse(std::string_view source) {
  parts out;
  constexpr std::string_view scheme = "sftp://";
  if (source.starts_with(scheme)) {
    const std::string_view rest = source.substr(scheme.size());
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) malformed(source, "no path");
    parse_authority(source, rest.substr(0, slash), out);
    out.path = rest.substr(slash);
    if (out.path == "/~" || out.path.starts_with("/~/")) out.path.erase(0, 1);
  } else {
    const bool bracketed = source.find('[') < source.find(':');
    const auto colon = source.find(':', bracketed ? source.find(']') : 0);
    parse_authority(source, source.substr(0, colon), out);
    out.path = source.substr(colon + 1);
  }
  // The login directory, where relative paths begin anyway.
  if (out.path == "~" || out.path.starts_with("~/"))
    out.path.erase(0, std::min(out.path.size(), out.path.find_first_not_of('/', 1)));
  if (out.path.empty()) out.path = ".";
  return out;
}

// The answer of `ssh -G`, by keyword; empty where there is no ssh to ask.
std::multimap<std::string, std::string> effective_configuration(const parts& p, const std::string& config) {
  std::vector<std::string> words{"ssh", "-T", "-G"};
  if (!config.empty()) words.insert(words.end(), {"-F", config});
  if (!p.user.empty()) words.insert(words.end(), {"-l", p.user});
  if (!p.port.empty()) words.insert(words.end(), {"-p", p.port});
  words.insert(words.end(), {"--", p.host});
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  unique_fd out{ends[0]}, in{ends[1]};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, "ssh", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  in.reset();
  if (failed != 0) return {};
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(out.get(), buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0)
    throw error(exit_code::usage, fmt::format("{}: ssh cannot read its configuration; see above", p.host));

  std::multimap<std::string, std::string> found;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    if (const auto space = line.find(' '); space != std::string::npos)
      found.emplace(line.substr(0, space), line.substr(space + 1));
  return found;
}

std::string home() {
  if (const char* set = std::getenv("HOME"); set != nullptr && *set != '\0') return set;
  const passwd* self = getpwuid(getuid());
  return self == nullptr ? "" : self->pw_dir;
}

std::string expand_home(std::string path) {
  if (path.starts_with("~/")) path.replace(0, 1, home());
  return path;
}

std::string login_name() {
  const passwd* self = getpwuid(getuid());
  return self == nullptr ? "root" : self->pw_name;
}

int port_number(std::string_view source, const std::string& text) {
  int port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535)
    malformed(source, fmt::format("'{}' is not a port", printable(text)));
  return port;
}

std::vector<std::string> split_files(const std::string& words) {
  std::vector<std::string> files;
  std::istringstream in{words};
  for (std::string word; in >> word;) files.push_back(expand_home(word));
  return files;
}

}  // namespace

std::string target::where() const { return fmt::format("{}@{}:{}", user, host, port); }

bool is_remote(std::string_view source) noexcept {
  if (source.starts_with("sftp://")) return true;
  const auto colon = source.find(':');
  return colon != std::string_view::npos && colon != 0 && source.find('/') > colon;
}

target resolve(const std::string& source, const settings& given) {
  const parts p = parse(source);
  if (!p.port.empty()) port_number(source, p.port);
  const auto config = effective_configuration(p, given.config);
  auto value = [&](const char* key, std::string fallback) {
    const auto at = config.find(key);
    return at == config.end() ? std::move(fallback) : at->second;
  };
  for (const char* proxy : {"proxyjump", "proxycommand"})
    if (value(proxy, "none") != "none")
      throw error(exit_code::usage,
                  fmt::format("{}: the ssh configuration asks for a {}, which ferryfs cannot use; open a "
                              "tunnel (ssh -L) and name its port",
                              p.host, proxy));
  target t;
  t.user = p.user.empty() ? value("user", login_name()) : p.user;
  t.host = value("hostname", p.host);
  t.port = port_number(source, p.port.empty() ? value("port", "22") : p.port);
  t.path = p.path;
  t.io_timeout = given.io_timeout;
  t.identities = given.identities;
  if (t.identities.empty())
    for (auto [at, end] = config.equal_range("identityfile"); at != end; ++at)
      t.identities.push_back(expand_home(at->second));
  if (t.identities.empty()) t.identities = {home() + "/.ssh/id_ed25519", home() + "/.ssh/id_ecdsa"};
  t.known_hosts = given.known_hosts;
  if (t.known_hosts.empty())
    for (const char* key : {"userknownhostsfile", "globalknownhostsfile"})
      for (auto& file : split_files(value(key, ""))) t.known_hosts.push_back(std::move(file));
  if (t.known_hosts.empty()) t.known_hosts = {home() + "/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"};
  return t;
}

}  // namespace ferryfs::remote::ssh
