// A listing by list_task, whose replies a test makes up.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "remote/source/sftp/list_task.hpp"
#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {

struct collector final : remote::listing {
  std::vector<remote::directory_entry> all;
  std::vector<std::pair<std::string, std::string>> not_here;
  int ends = 0;
  std::optional<remote::failure> why;
  void batch(std::vector<remote::directory_entry> names) override { all.insert(all.end(), names.begin(), names.end()); }
  void refused(std::string name, std::string reason) override {
    not_here.emplace_back(std::move(name), std::move(reason));
  }
  void finished(const std::optional<remote::failure>& w) override { ++ends, why = w; }
  std::vector<std::string> names() const {
    std::vector<std::string> n;
    for (const auto& f : all) n.push_back(f.name);
    std::sort(n.begin(), n.end());
    return n;
  }
};

inline constexpr std::uint32_t file = S_IFREG | 0644, directory = S_IFDIR | 0755, link = S_IFLNK | 0777;

inline reply name_reply(const std::vector<std::pair<std::string, std::uint32_t>>& names) {
  reply r{remote::sftp::type::name};
  r.u32(static_cast<std::uint32_t>(names.size()));
  for (const auto& [name, mode] : names)
    r.string(name).string("-rw-r--r-- 1 u g 7 Jul 15 " + name).attrs(mode, 7, 1000);
  return r;
}
inline reply link_reply(std::string_view target) {
  return reply{remote::sftp::type::name}.u32(1).string(target).string("").u32(0);
}

struct list_fixture {
  fake_request_sender sender;
  std::shared_ptr<collector> to = std::make_shared<collector>();
  std::shared_ptr<remote::sftp::list_task> task;

  explicit list_fixture(const std::string& path = "2013", std::optional<std::string> foretold = {})
      : task(std::make_shared<remote::sftp::list_task>(path, to)) {
    sender.predicted = std::move(foretold);
    task->start(sender);
  }
  void open() { sender.answer(remote::sftp::type::opendir, handle_reply("h1")); }
  void names(const std::vector<std::pair<std::string, std::uint32_t>>& n) {
    sender.answer(remote::sftp::type::readdir, name_reply(n));
  }
  void end() {
    while (sender.count(remote::sftp::type::readdir) > 0)
      sender.answer(remote::sftp::type::readdir, status_reply(remote::sftp::status::eof));
  }
};

}  // namespace ferryfs::test
