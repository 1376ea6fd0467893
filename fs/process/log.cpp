#include "fs/process/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {
namespace {

// A file, and those before it as NAME.1 and so on; spdlog's own would follow a symbolic link.
class rotating_file final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit rotating_file(std::string path) : path_(std::move(path)) {
    if (const int problem = open()) throw error(exit_code::local, fmt::format("{}: {}", path_, std::strerror(problem)));
  }

 private:
  static constexpr std::size_t most = 1U << 20;        // bytes
  static constexpr int before = log_names.size() - 1;  // files

  int open() {
    file_ = unique_fd{::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644)};
    struct stat st {};
    if (!file_ || ::fstat(file_.get(), &st) != 0) return errno;
    size_ = static_cast<std::size_t>(st.st_size);
    return 0;
  }

  void rotate() {
    for (int n = before; n > 0; --n) {
      const std::string older = fmt::format("{}.{}", path_, n);
      std::rename(n == 1 ? path_.c_str() : fmt::format("{}.{}", path_, n - 1).c_str(), older.c_str());
    }
    open();
  }

  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    if (size_ + text.size() > most) rotate();
    size_ += text.size();
    if (file_ && ::write(file_.get(), text.data(), text.size()) < 0) return;  // there is nowhere to say it
  }
  void flush_() override {}

  const std::string path_;
  unique_fd file_;
  std::size_t size_ = 0;
};

// Names and a server's words come to the log: nothing of them may end a line, or control the terminal that shows it.
class escaped_lines final : public spdlog::formatter {
 public:
  explicit escaped_lines(std::string pattern) : pattern_(std::move(pattern)), inner_(pattern_) {}
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    spdlog::details::log_msg shown = message;
    shown.payload = text;
    inner_.format(shown, to);
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<escaped_lines>(pattern_); }

 private:
  const std::string pattern_;
  spdlog::pattern_formatter inner_;
};

// All that log go through one logger, whose sinks can be changed at any time.
const std::shared_ptr<spdlog::sinks::dist_sink_mt>& outputs() {
  static const auto all = std::make_shared<spdlog::sinks::dist_sink_mt>();
  return all;
}

void use(std::vector<spdlog::sink_ptr> sinks) {
  static const auto logger = std::make_shared<spdlog::logger>("", outputs());
  auto least = spdlog::level::off;
  for (const auto& s : sinks) least = std::min(least, s->level());
  outputs()->set_sinks(std::move(sinks));
  logger->set_level(least);
  if (spdlog::default_logger_raw() != logger.get()) spdlog::set_default_logger(logger);
}

spdlog::sink_ptr with(spdlog::sink_ptr sink, const std::string& pattern, const std::string& level) {
  sink->set_formatter(std::make_unique<escaped_lines>(pattern));
  sink->set_level(spdlog::level::from_str(level));
  return sink;
}

spdlog::sink_ptr file_sink(const std::string& path, const std::string& level) {
  return with(std::make_shared<rotating_file>(path), "%Y-%m-%d %H:%M:%S %l: %v", level);
}

}  // namespace

void log_to_stderr(const std::string& level) {
  use({with(std::make_shared<spdlog::sinks::stderr_sink_mt>(), "ferryfs: %l: %v", level)});
}

void log_to_file(const std::string& path, const std::string& level) { use({file_sink(path, level)}); }

void also_log_to_file(const std::string& path, const std::string& level) {
  auto sinks = outputs()->sinks();
  try {
    sinks.push_back(file_sink(path, level));
  } catch (const error& e) {
    return spdlog::warn("the log file can't be written: {}", e.what());
  }
  use(std::move(sinks));
}

}  // namespace ferryfs::fs
