#include "fs/log.hpp"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace ferryfs::fs {
namespace {

void use(std::shared_ptr<spdlog::logger> logger, const std::string& level) {
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

void log_to_stderr(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("ferryfs: %l: %v");
  use(std::move(logger), level);
}

void log_to_file(const std::string& path, const std::string& level) {
  constexpr std::size_t size = 1U << 20, files = 2;
  auto logger =
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, size, files));
  logger->set_pattern("%Y-%m-%d %H:%M:%S %l: %v");
  use(std::move(logger), level);
}

}  // namespace ferryfs::fs
