#include "remote/source/ssh/login.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "remote/source/failure.hpp"

namespace ferryfs::remote::ssh {
namespace {

struct agent_deleter {
  void operator()(LIBSSH2_AGENT* agent) const noexcept {
    libssh2_agent_disconnect(agent);
    libssh2_agent_free(agent);
  }
};

bool hung_up(int socket) {
  char byte = 0;
  return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool with_agent(LIBSSH2_SESSION* session, const target& t, const deadline_call& wait, std::string& tried) {
  if (std::getenv("SSH_AUTH_SOCK") == nullptr) return false;
  const std::unique_ptr<LIBSSH2_AGENT, agent_deleter> agent{libssh2_agent_init(session)};
  if (!agent || libssh2_agent_connect(agent.get()) != 0 || libssh2_agent_list_identities(agent.get()) != 0)
    return false;
  libssh2_agent_publickey* key = nullptr;
  while (libssh2_agent_get_identity(agent.get(), &key, key) == 0) {
    if (wait([&] { return libssh2_agent_userauth(agent.get(), t.user.c_str(), key); }) == 0) return true;
    tried += fmt::format(", agent key '{}'", key->comment);
  }
  return false;
}

bool with_file(LIBSSH2_SESSION* session, const target& t, const deadline_call& wait, const std::string& file,
               std::string& tried) {
  if (access(file.c_str(), R_OK) != 0) {
    if (!t.identities.empty() && t.identities.size() == 1) tried += fmt::format(", {} (cannot be read)", file);
    return false;
  }
  const auto attempt = [&] {
    return libssh2_userauth_publickey_fromfile(session, t.user.c_str(), nullptr, file.c_str(), "");
  };
  const int result = wait(attempt);
  if (result == 0) return true;
  if (result == LIBSSH2_ERROR_TIMEOUT)
    throw failure{cause::timeout,
                  fmt::format("{}: no answer to the login within {} s", t.where(), t.io_timeout.count())};
  char* text = nullptr;
  libssh2_session_last_error(session, &text, nullptr, 0);
  tried += fmt::format(", {} ({})", file, text == nullptr ? "refused" : text);
  return false;
}

// The ways to log in that the server offers this account; empty where it does not say.
std::string offered(LIBSSH2_SESSION* session, const target& t, const deadline_call& wait) {
  char* list = nullptr;
  wait([&] {
    list = libssh2_userauth_list(session, t.user.c_str(), static_cast<unsigned>(t.user.size()));
    return list != nullptr ? 0 : libssh2_session_last_errno(session);
  });
  return list == nullptr ? "" : list;
}

}  // namespace

void log_in(LIBSSH2_SESSION* session, const target& t, const deadline_call& wait) {
  std::string tried;
  // An identity that was named goes first: an agent full of other keys can use up the server's MaxAuthTries.
  for (const auto& file : t.identities)
    if (with_file(session, t, wait, file, tried)) return;
  if (with_agent(session, t, wait, tried)) return;
  tried = tried.empty() ? " no key: none was found" : tried.substr(1);
  if (hung_up(wait.socket))
    throw failure{cause::refused,
                  fmt::format("{}: the server closed the connection during the login (tried{}); the account may have "
                              "expired or be locked, or too many keys were tried (MaxAuthTries)",
                              t.where(), tried)};
  if (const auto ways = offered(session, t, wait); !ways.empty() && ways.find("publickey") == std::string::npos)
    throw failure{
        cause::refused,
        fmt::format(
            "{}: the server does not accept a key, or not a key alone, for this account, but {}; ferryfs logs in "
            "with a key: allow that in its sshd_config (PubkeyAuthentication, AuthenticationMethods)",
            t.where(), ways)};
  throw failure{
      cause::refused,
      fmt::format("{}: login refused (tried{}); put an ed25519 or ecdsa public key into its authorized_keys and "
                  "name the key with --identity, or load it into the agent if it has a passphrase",
                  t.where(), tried)};
}

}  // namespace ferryfs::remote::ssh
