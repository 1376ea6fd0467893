#include "remote/engine/verify/verify_tally.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "index/base/path.hpp"

namespace ferryfs::remote {

void verify_tally::add_sound(std::uint64_t bytes, bool newly_digested, bool compared) {
  ++progress_.files;
  const lock held{mutex_};
  ++sum_.files, sum_.bytes += bytes;
  sum_.newly_digested += newly_digested ? 1 : 0;
  sum_.same_on_source += compared ? 1 : 0;
}

void verify_tally::add_wrong(const std::string& path, const std::string& why) {
  ++progress_.wrong;
  const std::string text = count_problem(path, why);
  const lock held{mutex_};
  ++sum_.wrong;
  line_(text);
}

void verify_tally::add_unverified(const std::string& path, const std::string& why) {
  const std::string text = count_problem(path, why);
  const lock held{mutex_};
  ++sum_.unverified;
  line_(text);
}

std::string verify_tally::count_problem(const std::string& path, const std::string& why) {
  ++progress_.files;
  std::string text = fmt::format("{}: {}", printable(path), why);
  spdlog::warn("verify: {}", text);
  return text;
}

void verify_tally::add_uncompared(const std::string& why) {
  {
    const lock held{mutex_};
    if (sum_.uncompared++ > 0) return;
    sum_.why_uncompared = why;
  }
  spdlog::warn("verify: not compared with the source: {}", why);
}

verify_result verify_tally::result() {
  const lock held{mutex_};
  return sum_;
}

}  // namespace ferryfs::remote
