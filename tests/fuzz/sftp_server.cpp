#include "tests/fuzz/sftp_server.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace ferryfs::fuzz {
namespace {

using remote::sftp::parser;
using remote::sftp::status;
using remote::sftp::type;

void put(std::string& to, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to += static_cast<char>(value >> shift);
}
void put(std::string& to, std::string_view text) {
  put(to, text.size(), 4);
  to += text;
}

std::string packet(type t, std::uint32_t id, std::string_view body) {
  std::string bytes;
  put(bytes, 5 + body.size(), 4);
  put(bytes, static_cast<std::uint8_t>(t), 1);
  put(bytes, id, 4);
  return bytes.append(body);
}

}  // namespace

void sftp_server::receive(std::span<const std::byte> bytes) {
  inbox_.insert(inbox_.end(), bytes.begin(), bytes.end());
  while (inbox_.size() >= 4) {
    const std::uint32_t length = parser{inbox_}.u32();
    if (inbox_.size() - 4 < length) return;
    accept(std::span(inbox_).subspan(4, length));
    inbox_.erase(inbox_.begin(), inbox_.begin() + 4 + length);
  }
}

// What the client sends is whole: its parts are all there.
void sftp_server::accept(std::span<const std::byte> bytes) {
  parser p{bytes};
  request r{static_cast<type>(p.u8()), p.u32(), 0, 0, {}};
  if (r.type == type::close || r.type == type::read || r.type == type::readdir) r.handle = p.string();
  if (r.type == type::read) {
    r.offset = p.u64(), r.length = p.u32();
    demand(r.length > 0, "no READ asks for nothing");
  }
  if (r.type == type::close) {
    const auto open = handles_.find(r.handle);
    demand(lied_ || open != handles_.end(), "only what is open is closed");
    if (open != handles_.end()) handles_.erase(open);
  }
  owed_.push_back(std::move(r));
}

std::string sftp_server::step() {
  switch (script_.below(16)) {
    case 0:
      return "";
    case 1:  // any bytes
      lied_ = true;
      return std::string(script_.text());
    case 2: {  // any packet, or any reply
      lied_ = true;
      const auto t = static_cast<type>(script_.byte());
      const auto at = script_.byte();
      const auto id = at < owed_.size() ? owed_[at].id : at;
      if (at < owed_.size()) owed_.erase(owed_.begin() + at);
      return packet(t, id, script_.text());
    }
    case 3:
      time_passes_(std::chrono::seconds(script_.byte() + 1));
      return "";
    default:
      return reply();
  }
}

std::string sftp_server::reply() {
  if (owed_.empty()) return "";
  const auto at = owed_.begin() + static_cast<std::ptrdiff_t>(script_.below(std::min<std::size_t>(owed_.size(), 256)));
  const request r = std::move(*at);
  owed_.erase(at);
  if (r.type == type::init) {
    std::string body;
    const auto extensions = script_.byte();
    const std::array names{"limits@openssh.com", "posix-rename@openssh.com", "fsync@openssh.com",
                           "statvfs@openssh.com"};
    for (std::size_t i = 0; i < names.size(); ++i)
      if ((extensions >> i & 1) != 0) put(body, names.at(i)), put(body, "1");
    return packet(type::version, 3, body);
  }
  if (const std::uint64_t code = script_.byte() % 32U; code >= 1 && code <= 8) {
    std::string body;
    put(body, code, 4), put(body, script_.text()), put(body, "en");
    return packet(type::status, r.id, body);
  }
  return honest_reply(r);
}

std::string sftp_server::honest_reply(const request& r) {
  std::string body;
  const bool of_open = r.type == type::readdir || r.type == type::read;
  if (of_open && !handles_.contains(r.handle)) {
    put(body, static_cast<std::uint32_t>(status::failure), 4), put(body, ""), put(body, "");
    return packet(type::status, r.id, body);
  }
  switch (r.type) {
    case type::realpath:
    case type::readlink:
      put(body, 1, 4), put(body, r.type == type::realpath ? "/root" : script_.text()), put(body, ""), put(body, 0, 4);
      return packet(type::name, r.id, body);
    case type::stat:
    case type::lstat:
    case type::fstat:
      put_attributes(body);
      return packet(type::attrs, r.id, body);
    case type::open:
    case type::opendir: {
      // As OpenSSH numbers them, from 0 and each once.
      std::string handle;
      for (std::uint32_t n = 0; handle.empty() || handles_.contains(handle); ++n) handle.clear(), put(handle, n, 4);
      handles_.insert(handle);
      put(body, handle);
      return packet(type::handle, r.id, body);
    }
    case type::readdir:
      return packet(type::name, r.id, names());
    case type::read:
      return packet(type::data, r.id, data(r));
    case type::extended:
      for (int i = 0; i < 11; ++i) put(body, script_.byte() * 1024U, 8);
      if (script_.flag()) return packet(type::extended_reply, r.id, body);
      break;
    default:
      break;
  }
  body.clear();
  put(body, static_cast<std::uint32_t>(status::ok), 4), put(body, ""), put(body, "");
  return packet(type::status, r.id, body);
}

void sftp_server::put_attributes(std::string& to) {
  const auto has = script_.byte();  // size, owners, permissions, times
  put(to, has & 15U, 4);
  if ((has & 1) != 0) put(to, (has & 16) != 0 ? script_.number(8) : script_.byte(), 8);
  if ((has & 2) != 0) put(to, 0, 8);
  constexpr std::array<std::uint32_t, 8> kinds{S_IFREG, S_IFDIR, S_IFLNK, 0, S_IFREG, S_IFIFO, S_IFBLK, 0170000};
  if ((has & 4) != 0) put(to, kinds.at(has >> 5) | 0644U, 4);
  if ((has & 8) != 0) put(to, 0, 4), put(to, script_.number(4), 4);
}

std::string sftp_server::names() {
  std::string body;
  const auto count = script_.below(6);
  put(body, count, 4);
  for (std::size_t i = 0; i < count; ++i) put(body, script_.text()), put(body, ""), put_attributes(body);
  return body;
}

// Short reads are legal.
std::string sftp_server::data(const request& r) {
  const auto less = script_.byte();
  const std::uint64_t length = r.length - std::min<std::uint64_t>(less, r.length - 1);
  std::string body;
  put(body, length, 4);
  for (std::uint64_t i = 0; i < length; ++i) body += static_cast<char>(content_at(r.offset + i));
  return body;
}

}  // namespace ferryfs::fuzz
