#include "fs/cli/with_progress.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <exception>

#include "fs/cli/control_client.hpp"
#include "fs/cli/progress.hpp"
#include "fs/process/signals.hpp"

namespace ferryfs::fs {

using namespace std::chrono_literals;

command_result with_progress(std::future<command_result> end, const std::function<std::string()>& line) {
  progress shown;
  while (end.wait_for(500ms) != std::future_status::ready)
    if (std::string text = line(); !text.empty()) {
      if (text.ends_with('\n')) text.pop_back();
      shown.show(text);
    }
  return end.get();
}

command_result ask_with_progress(const std::string& root, const std::string& verb, const std::string& command) {
  const auto far = [&] { return ask(root, "progress " + verb, "watch").text; };
  if (!far().empty()) return {EBUSY, fmt::format("a {} is running already; try again when it has ended", verb)};
  block_signals();
  const signal_watcher watcher{[&](int) {
    try {
      ask(root, "stop " + verb, "watch");
    } catch (const std::exception&) {  // the mount is gone, as the answer will say
    }
  }};
  auto end = std::async(std::launch::async, [&] { return ask(root, command); });
  return with_progress(std::move(end), far);
}

}  // namespace ferryfs::fs
