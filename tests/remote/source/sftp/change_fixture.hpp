// A change of a name by change_task, whose replies a test makes up.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "remote/source/sftp/change_task.hpp"
#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {

inline const reply ok = status_reply(remote::sftp::status::ok);
inline const reply not_there = status_reply(remote::sftp::status::no_such_file),
                   failed = status_reply(remote::sftp::status::failure, "Failure");

struct change_fixture {
  fake_request_sender sender;
  int ends = 0;
  std::optional<remote::failure> why;
  remote::attributes there;
  std::shared_ptr<remote::sftp::change_task> task;

  explicit change_fixture(remote::sftp::change c)
      : task(std::make_shared<remote::sftp::change_task>(
            std::move(c), [this](const auto& w, const remote::attributes& a) { ++ends, why = w, there = a; })) {
    task->start(sender);
  }
};

}  // namespace ferryfs::test
