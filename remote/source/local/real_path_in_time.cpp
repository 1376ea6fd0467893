#include "remote/source/local/real_path_in_time.hpp"

#include <filesystem>

#include "remote/source/local/file_calls.hpp"

namespace ferryfs::remote {

std::string plain_path(const std::string& path) {
  std::string plain = std::filesystem::absolute(path).lexically_normal().string();
  while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  return plain;
}

std::optional<std::string> real_path_in_time(const std::string& path, std::chrono::milliseconds deadline) {
  // Not lexically_normal(): the target of a link has another "..".
  const std::string absolute = std::filesystem::absolute(path).string();
  constexpr int never_stops = -1;
  bool is_overdue = false;
  file_calls calls{absolute, deadline, never_stops, [&](const failure&) { is_overdue = true; }};
  const auto why = calls.make(file_call::what::resolve, "");
  if (is_overdue) return std::nullopt;
  if (!why) return calls.answer().other;
  if (why->of_connection()) throw failure{*why};
  return plain_path(path);
}

}  // namespace ferryfs::remote
