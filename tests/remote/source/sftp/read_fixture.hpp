// A file being read by read_task, whose replies a test makes up.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "remote/source/sftp/read_task.hpp"
#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {

// Wants a file of some size from its front, and keeps what comes.
struct reader final : remote::reading {
  std::string where = "2013/a.jpg";
  std::uint64_t size, next_offset = 0;
  std::map<std::uint64_t, std::string> came;
  int ends = 0;
  std::optional<remote::failure> why;
  remote::attributes after;

  explicit reader(std::uint64_t bytes) : size(bytes) {}
  const std::string& path() const override { return where; }
  next next_range(std::uint32_t at_most) override {
    if (next_offset == size) return {remote::next_step::done, {}};
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(at_most, size - next_offset));
    return {remote::next_step::more, {std::exchange(next_offset, next_offset + length), length}};
  }
  void arrived(std::uint64_t offset, std::span<const std::byte> bytes) override {
    came[offset] = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finished(const std::optional<remote::failure>& w, const remote::attributes& a) override {
    ++ends, why = w, after = a;
  }
  std::string content() const {
    std::string all;
    for (const auto& [offset, bytes] : came) all += offset == all.size() ? bytes : "(gap)" + bytes;
    return all;
  }
};

inline reply data_reply(std::string_view bytes) { return reply{remote::sftp::type::data}.string(bytes); }
inline reply attrs_reply(std::uint64_t size, std::uint32_t mtime = 1000) {
  return reply{remote::sftp::type::attrs}.attrs(S_IFREG | 0644, size, mtime);
}

struct read_fixture {
  fake_request_sender sender;
  std::shared_ptr<reader> to;
  std::shared_ptr<remote::sftp::read_task> task;

  explicit read_fixture(std::uint64_t size)
      : to(std::make_shared<reader>(size)),
        task(std::make_shared<remote::sftp::read_task>(to, remote::priority::background)) {
    task->start(sender);
  }
  void open() { sender.answer(remote::sftp::type::open, handle_reply("h1")); }
  void request_all() {
    while (task->request_more(sender) == remote::next_step::more) {
    }
  }
};

}  // namespace ferryfs::test
