#include "remote/source/server/root_cache.hpp"

#include <utility>

#include "index/base/clock.hpp"

namespace ferryfs::remote::sftp {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto recent_time = 1s;

}  // namespace

std::string root_cache::path() const {
  const lock held{mutex_};
  return path_;
}

void root_cache::set_path(std::string path) {
  const lock held{mutex_};
  path_ = std::move(path);
}

void root_cache::update(const std::optional<attributes>& shown, unsigned answers) {
  const lock held{mutex_};
  const auto now = steady_now();
  if (answers < answers_left_ && now - shown_at_ < recent_time) return;
  attributes_ = shown;
  shown_at_ = now;
  answers_left_ = answers;
}

std::optional<attributes> root_cache::recent_attributes() const {
  return steady_now() - shown_at_ < recent_time ? attributes_ : std::nullopt;
}

std::optional<attributes> root_cache::recent() const {
  const lock held{mutex_};
  return recent_attributes();
}

std::optional<attributes> root_cache::take_answer() {
  const lock held{mutex_};
  const auto shown = recent_attributes();
  if (!shown || answers_left_ == 0) return std::nullopt;
  --answers_left_;
  return shown;
}

std::optional<std::uint64_t> root_cache::file_system() const {
  const lock held{mutex_};
  return file_system_;
}

void root_cache::set_file_system(std::optional<std::uint64_t> id) {
  const lock held{mutex_};
  file_system_ = id;
}

}  // namespace ferryfs::remote::sftp
