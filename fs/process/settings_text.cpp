#include "fs/process/settings_text.hpp"

#include <nlohmann/json.hpp>

#include "index/base/error.hpp"

namespace ferryfs::fs {
namespace {

// Paths and patterns are bytes; JSON is text. Each byte stands as the code point of its number.
std::string text_of_bytes(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | b >> 6);
      text += static_cast<char>(0x80 | (b & 0x3F));
    }
  }
  return text;
}

std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto b = static_cast<unsigned char>(text[i]);
    if (b < 0x80 || i + 1 == text.size()) {
      bytes += text[i];
    } else {
      bytes += static_cast<char>((b & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F));
    }
  }
  return bytes;
}

std::vector<std::string> map(const std::vector<std::string>& list, std::string (*change)(const std::string&)) {
  std::vector<std::string> out;
  for (const auto& s : list) out.push_back(change(s));
  return out;
}

}  // namespace

std::string text_of(const remote::settings& s) {
  const nlohmann::json j{{"source", text_of_bytes(s.source)},
                         {"identity", map(s.identities, text_of_bytes)},
                         {"known_hosts", map(s.known_hosts, text_of_bytes)},
                         {"ssh_config", text_of_bytes(s.ssh_config)},
                         {"sessions", s.sessions},
                         {"limit", s.limit},
                         {"exclude", map(s.exclude, text_of_bytes)},
                         {"profile", s.profile},
                         {"io_timeout", s.io_timeout.count()},
                         {"rescan", s.rescan.count()},
                         {"min_free", s.min_free},
                         {"keep_reports", s.keep_reports},
                         {"quiet", s.quiet.count()},
                         {"believe_loss", s.believe_loss},
                         {"links", index::name_of(s.links)},
                         {"mountpoint", text_of_bytes(s.mountpoint)}};
  return j.dump();
}

remote::settings parse_settings(const std::string& text) {
  try {
    const auto j = nlohmann::json::parse(text);
    remote::settings s;
    s.source = bytes_of(j.at("source"));
    s.identities = map(j.at("identity"), bytes_of);
    s.known_hosts = map(j.at("known_hosts"), bytes_of);
    s.ssh_config = bytes_of(j.at("ssh_config"));
    s.sessions = j.at("sessions");
    s.limit = j.at("limit");
    s.exclude = map(j.at("exclude"), bytes_of);
    s.profile = j.at("profile");
    s.io_timeout = std::chrono::seconds(j.at("io_timeout"));
    s.rescan = std::chrono::seconds(j.at("rescan"));
    s.min_free = j.at("min_free");
    s.keep_reports = j.value("keep_reports", s.keep_reports);
    s.quiet = std::chrono::seconds(j.value("quiet", s.quiet.count()));
    s.believe_loss = j.value("believe_loss", s.believe_loss);
    s.links = index::link_policy_named(j.value("links", "")).value_or(s.links);
    s.mountpoint = bytes_of(j.value("mountpoint", ""));
    return s;
  } catch (const nlohmann::json::exception& e) {
    throw error(exit_code::local, std::string("the settings in the index cannot be read (") + e.what() +
                                      "); mount or sync the archive again with its SOURCE");
  }
}

}  // namespace ferryfs::fs
