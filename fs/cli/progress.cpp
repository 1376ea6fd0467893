#include "fs/cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "fs/text/size.hpp"

namespace ferryfs::fs {
namespace {

constexpr auto plain_interval = std::chrono::seconds(10);
constexpr std::size_t most_in_flight = 4;

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// The place after `n` characters of UTF-8, counted from the beginning; the text's end where it has fewer.
std::size_t place_of(const std::string& text, std::size_t n) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if (begins_character(text[at]) && n-- == 0) break;
  return at;
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string cut(const std::string& line, std::size_t columns) { return line.substr(0, place_of(line, columns)); }

// Of a path the end tells more than the beginning.
std::string path_within(const std::string& path, std::size_t columns) {
  const std::size_t n = characters(path);
  return n <= columns ? path : "…" + path.substr(place_of(path, n - columns + 1));
}

std::string bar(double percent, std::size_t columns) {
  const std::size_t full = std::min(static_cast<std::size_t>(percent / 100 * static_cast<double>(columns)), columns);
  std::string text = "[";
  for (std::size_t i = 0; i < columns; ++i) text += i < full ? '#' : '.';
  return text + ']';
}

}  // namespace

drawing draw_status(const json& s, std::size_t columns) {
  const std::size_t width = std::max<std::size_t>(columns, 20);
  drawing lines{fmt::format("{} {:5.1f} %", bar(share_here(s), std::min<std::size_t>(width - 11, 60)), share_here(s)),
                totals_text(s), state_text(s)};
  const json& active = s["transfer"]["active"];
  for (std::size_t i = 0; i < most_in_flight; ++i) {
    if (i >= active.size()) {
      lines.emplace_back();
      continue;
    }
    const json& picture = active[i];
    const std::string size = human_size(picture["bytes"].get<std::uint64_t>());
    const char* mark = picture["demanded"].get<bool>() ? "> " : "  ";  // somebody waits for it
    lines.push_back(fmt::format("{}{:>10}  {}", mark, size,
                                path_within(picture["path"].get<std::string>(), std::max<std::size_t>(width - 14, 6))));
  }
  for (auto& line : lines) line = cut(line, width);
  return lines;
}

progress::progress() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

std::size_t progress::columns() const {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void progress::show(const std::string& line) { show(drawing{line}, line); }

void progress::show(const json& status) { show(draw_status(status, columns()), status_line(status)); }

void progress::show(drawing lines, const std::string& plain) {
  if (!terminal_) return print(plain);
  for (auto& line : lines) line = cut(line, columns());
  draw(lines);
}

// The cursor stands below the drawing: whatever interrupts it begins a line of its own.
void progress::draw(const drawing& lines) {
  std::string text = drawn_ > 0 ? fmt::format("\x1b[{}A", drawn_) : "";
  for (const auto& line : lines) text += line + "\x1b[K\n";
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  drawn_ = lines.size();
}

void progress::print(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < plain_interval) return;
  last_ = now;
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

progress::~progress() {
  if (drawn_ > 0) std::printf("\x1b[%zuA\x1b[J", drawn_);
  std::fflush(stdout);
}

}  // namespace ferryfs::fs
