// The connection as a double: keeps what a task requests, and hands it the replies that a test makes up.
#pragma once

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "remote/source/sftp/task.hpp"

namespace ferryfs::test {

// The body of a reply, from behind its id.
class reply {
 public:
  explicit reply(remote::sftp::type t) : type_(t) {}
  reply& u32(std::uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) body_.push_back(static_cast<std::byte>(v >> shift));
    return *this;
  }
  reply& u64(std::uint64_t v) { return u32(static_cast<std::uint32_t>(v >> 32)).u32(static_cast<std::uint32_t>(v)); }
  reply& string(std::string_view s) {
    u32(static_cast<std::uint32_t>(s.size()));
    for (const char c : s) body_.push_back(static_cast<std::byte>(c));
    return *this;
  }
  // Size, permissions and times.
  reply& attrs(std::uint32_t mode, std::uint64_t size, std::uint32_t mtime) {
    return u32(1 | 4 | 8).u64(size).u32(mode).u32(0).u32(mtime);
  }
  remote::sftp::type type() const { return type_; }
  const std::vector<std::byte>& body() const { return body_; }

 private:
  remote::sftp::type type_;
  std::vector<std::byte> body_;
};

inline reply status_reply(remote::sftp::status s, std::string_view text = "") {
  return reply{remote::sftp::type::status}.u32(static_cast<std::uint32_t>(s)).string(text).string("en");
}
inline reply handle_reply(std::string_view handle) { return reply{remote::sftp::type::handle}.string(handle); }

class fake_request_sender final : public remote::sftp::request_sender {
 public:
  struct sent {
    remote::sftp::request request;
    std::vector<std::byte> bytes;  // the whole packet
    remote::sftp::type type() const { return request.sent; }
    // From behind the id: what the request asks for.
    remote::sftp::parser body() const { return remote::sftp::parser{std::span(bytes).subspan(9)}; }
  };

  // Requests without a reply, the oldest first.
  std::deque<sent>& open() {
    collect();
    return open_;
  }
  std::size_t count(remote::sftp::type t) {
    return static_cast<std::size_t>(
        std::count_if(open().begin(), open().end(), [&](auto& s) { return s.type() == t; }));
  }

  // Replies to the oldest request of a type, or to the oldest of all.
  void answer(remote::sftp::type t, const reply& r) {
    auto& all = open();
    const auto at = std::find_if(all.begin(), all.end(), [&](auto& s) { return s.type() == t; });
    if (at == all.end()) throw std::logic_error("there is no such request");
    const remote::sftp::request request = std::move(at->request);
    all.erase(at);
    give(request, r.type(), r.body());
  }
  void answer(const reply& r) { answer(open().at(0).type(), r); }
  void give(const remote::sftp::request& request, remote::sftp::type got, std::vector<std::byte> body) {
    remote::sftp::parser p{body};
    request.owner->reply(*this, request, got, p);
  }

  remote::sftp::builder begin(remote::sftp::request r) override {
    collect();
    begun_.push_back(std::move(r));
    return remote::sftp::builder{out_, begun_.back().sent, 7};
  }
  std::string absolute(const std::string& path) const override { return path.empty() ? "/root" : "/root/" + path; }
  std::uint32_t read_length() const override { return longest_read; }
  std::uint32_t write_length() const override { return longest_write; }
  const remote::sftp::extensions& offered() const override { return extensions; }
  std::string where() const override { return "user@host:22"; }
  std::optional<std::string> predict_handle() const override { return predicted; }

  std::uint32_t longest_read = 100, longest_write = 100;
  remote::sftp::extensions extensions{true, true, true};
  std::optional<std::string> predicted;

 private:
  // A request is whole when the next one begins or somebody looks.
  void collect() {
    for (auto& r : begun_) open_.push_back({std::move(r), std::exchange(out_, {})});
    begun_.clear();
  }
  std::vector<std::byte> out_;
  std::vector<remote::sftp::request> begun_;  // one at most
  std::deque<sent> open_;
};

}  // namespace ferryfs::test
