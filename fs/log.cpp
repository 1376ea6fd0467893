#include "fs/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "index/error.hpp"
#include "remote/unique_fd.hpp"

namespace ferryfs::fs {
namespace {

// A file, and those before it as NAME.1 and so on; spdlog's own would follow a symbolic link.
class rotating_file final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit rotating_file(std::string path) : path_(std::move(path)) {
    if (const int problem = open()) throw error(exit_code::local, fmt::format("{}: {}", path_, std::strerror(problem)));
  }

 private:
  static constexpr std::size_t most = 1U << 20;  // bytes
  static constexpr int before = 2;               // files

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

void use(std::shared_ptr<spdlog::logger> logger, const std::string& level) {
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

void log_to_stderr(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("ferryfs: %l: %v");
  logger->flush_on(spdlog::level::info);
  use(std::move(logger), level);
}

void log_to_file(const std::string& path, const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<rotating_file>(path));
  logger->set_pattern("%Y-%m-%d %H:%M:%S %l: %v");
  use(std::move(logger), level);
}

}  // namespace ferryfs::fs
