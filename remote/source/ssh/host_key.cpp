#include "remote/source/ssh/host_key.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <fstream>

#include "remote/source/failure.hpp"

namespace ferryfs::remote::ssh {
namespace {

struct algorithm {
  const char* name;
  int kind;  // LIBSSH2_KNOWNHOST_KEY_…
};
constexpr algorithm algorithms[] = {{"ssh-ed25519", LIBSSH2_KNOWNHOST_KEY_ED25519},
                                    {"ecdsa-sha2-nistp256", LIBSSH2_KNOWNHOST_KEY_ECDSA_256},
                                    {"ecdsa-sha2-nistp384", LIBSSH2_KNOWNHOST_KEY_ECDSA_384},
                                    {"ecdsa-sha2-nistp521", LIBSSH2_KNOWNHOST_KEY_ECDSA_521},
#if LIBSSH2_VERSION_NUM >= 0x010b00
                                    {"rsa-sha2-512", LIBSSH2_KNOWNHOST_KEY_SSHRSA},
                                    {"rsa-sha2-256", LIBSSH2_KNOWNHOST_KEY_SSHRSA},
#endif
                                    {"ssh-rsa", LIBSSH2_KNOWNHOST_KEY_SSHRSA}};

int kind_of_hostkey(int type) {
  switch (type) {
    case LIBSSH2_HOSTKEY_TYPE_RSA:
      return LIBSSH2_KNOWNHOST_KEY_SSHRSA;
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_256:
      return LIBSSH2_KNOWNHOST_KEY_ECDSA_256;
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_384:
      return LIBSSH2_KNOWNHOST_KEY_ECDSA_384;
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_521:
      return LIBSSH2_KNOWNHOST_KEY_ECDSA_521;
    case LIBSSH2_HOSTKEY_TYPE_ED25519:
      return LIBSSH2_KNOWNHOST_KEY_ED25519;
    default:
      return LIBSSH2_KNOWNHOST_KEY_UNKNOWN;
  }
}

// As ssh prints it: SHA256: and base64 without padding.
std::string fingerprint(LIBSSH2_SESSION* session) {
  const char* hash = libssh2_hostkey_hash(session, LIBSSH2_HOSTKEY_HASH_SHA256);
  if (hash == nullptr) return "unknown";
  unsigned char text[64];
  const int length = EVP_EncodeBlock(text, reinterpret_cast<const unsigned char*>(hash), 32);
  std::string base64(reinterpret_cast<char*>(text), static_cast<std::size_t>(length));
  while (base64.ends_with('=')) base64.pop_back();
  return "SHA256:" + base64;
}

std::string files(const target& t) { return t.known_hosts.empty() ? "known_hosts" : t.known_hosts.front(); }

}  // namespace

known_hosts::known_hosts(LIBSSH2_SESSION* session, const target& t)
    : session_(session),
      target_(t),
      known_(libssh2_knownhost_init(session)),
      revoked_(libssh2_knownhost_init(session)) {
  constexpr std::string_view revoked = "@revoked ";
  for (const auto& file : t.known_hosts) {
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) {
      auto* into = known_.get();
      if (line.starts_with(revoked)) line.erase(0, revoked.size()), into = revoked_.get();
      libssh2_knownhost_readline(into, line.data(), line.size(), LIBSSH2_KNOWNHOST_FILE_OPENSSH);
    }
  }
}

int known_hosts::look_up(LIBSSH2_KNOWNHOSTS* in, const char* key, std::size_t length, int kind) const {
  const int format = length == 0 ? LIBSSH2_KNOWNHOST_KEYENC_BASE64 : LIBSSH2_KNOWNHOST_KEYENC_RAW;
  libssh2_knownhost* found = nullptr;
  return libssh2_knownhost_checkp(in, target_.host.c_str(), target_.port, key, length,
                                  LIBSSH2_KNOWNHOST_TYPE_PLAIN | format | kind, &found);
}

std::string known_hosts::preferred_algorithms() const {
  std::string first, rest;
  for (const auto& a : algorithms) {
    // No key equals "-", so a host that has one of this kind answers MISMATCH and any other NOTFOUND.
    auto& list = look_up(known_.get(), "-", 0, a.kind) == LIBSSH2_KNOWNHOST_CHECK_MISMATCH ? first : rest;
    if (!list.empty()) list += ',';
    list += a.name;
  }
  return first.empty() ? rest : rest.empty() ? first : first + ',' + rest;
}

void known_hosts::check() const {
  std::size_t length = 0;
  int type = 0;
  const char* key = libssh2_session_hostkey(session_, &length, &type);
  if (key == nullptr) throw failure{cause::refused, fmt::format("{}: the server showed no host key", target_.where())};
  const int kind = kind_of_hostkey(type);
  if (look_up(revoked_.get(), key, length, kind) == LIBSSH2_KNOWNHOST_CHECK_MATCH)
    throw failure{cause::refused, fmt::format("{}: its host key {} is marked @revoked in {}; do not connect",
                                              target_.where(), fingerprint(session_), files(target_))};
  switch (look_up(known_.get(), key, length, kind)) {
    case LIBSSH2_KNOWNHOST_CHECK_MATCH:
      return;
    case LIBSSH2_KNOWNHOST_CHECK_MISMATCH:
      throw failure{cause::refused,
                    fmt::format("{}: HOST KEY CHANGED to {}, someone may be in between; if the change is known, run "
                                "ssh-keygen -R '[{}]:{}' -f {} and add the new key",
                                target_.where(), fingerprint(session_), target_.host, target_.port, files(target_))};
    default:
      throw failure{cause::refused,
                    fmt::format("{}: unknown host key {}; compare it with the server's and add it: "
                                "ssh-keyscan -p {} {} >> {}",
                                target_.where(), fingerprint(session_), target_.port, target_.host, files(target_))};
  }
}

}  // namespace ferryfs::remote::ssh
