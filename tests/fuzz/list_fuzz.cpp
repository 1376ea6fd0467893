// The lines that are written for people and programs, and read back: of lists, of decisions, of a shell that makes
// digests; and the files that hold them.
#include <sys/mman.h>

#include <cstring>

#include "fs/report/gzip.hpp"
#include "index/base/error.hpp"
#include "index/model/decision_line.hpp"
#include "index/model/list_line.hpp"
#include "remote/engine/durable/decisions_file.hpp"
#include "remote/source/digest/source_shell.hpp"
#include "tests/fuzz/scratch.hpp"

namespace {

using namespace ferryfs;
using fuzz::demand;

// `line` ends with its only newline; without it.
std::string_view whole_line(std::string_view line) {
  demand(!line.empty() && line.find('\n') == line.size() - 1, "a line is one line");
  return line.substr(0, line.size() - 1);
}

unique_fd file_with(std::string_view text) {
  unique_fd file{::memfd_create("fuzz", MFD_CLOEXEC)};
  fs::write_all(file.get(), text, "fuzz");
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

void list(std::uint64_t size, std::string_view path, std::string_view any) {
  std::string line;
  if (!path.empty()) {
    index::append_line(line, size, path);
    const auto back = index::parse_line(whole_line(line));
    demand(back && back->size == size && back->path == path, "a line of a list is read back");
  }
  if (const auto l = index::parse_line(any)) {
    line.clear();
    index::append_line(line, l->size, l->path);
    const auto back = index::parse_line(line.substr(0, line.size() - 1));
    demand(back && back->size == l->size && back->path == l->path, "what was read is written so that it is read");
  }
}

void decision(std::int64_t seconds, std::string_view path, std::string_view any) {
  const std::string line = index::line_of("renamed", path, any, seconds);
  const auto back = index::parse_decision(whole_line(line));
  demand(back.has_value() == !path.empty(), "a decision is about a path");
  if (back) demand(back->verb == "renamed" && back->path == path && back->other == any, "a decision is read back");
  if (const auto d = index::parse_decision(any); d && d->verb.find('\n') == std::string::npos) {
    const std::string again = index::line_of(d->verb, d->path, d->other, 0);
    const auto same = index::parse_decision(std::string_view(again).substr(0, again.size() - 1));
    demand(same && same->path == d->path && same->other == d->other, "what was read is written so that it is read");
  }
}

// Whatever a person has done to the file, each line that ends before `to` is read once, whole.
void decisions_file(std::uint64_t from, std::uint64_t to, std::string_view text) {
  std::uint64_t at = from;
  std::string lines;
  remote::read_decisions(fuzz::write_scratch("decisions", text), from, to,
                         [&](const std::string& line, std::uint64_t end) {
                           demand(line.find('\n') == std::string::npos, "a line holds no end of a line");
                           demand(at < to && end == at + line.size() + 1, "lines follow one another");
                           at = end, lines += line + '\n';
                         });
  demand(from >= text.size() || text.substr(from).starts_with(lines), "they are those of the file");
}

void packed(bool many, std::string_view text) {
  unique_fd file{::memfd_create("fuzz", MFD_CLOEXEC)};
  fs::gzip_writer to{file.get(), "fuzz", many};
  const auto half = text.size() / 2;
  to.add(text.substr(0, half)), to.add(text.substr(half));
  to.finish();
  ::lseek(file.get(), 0, SEEK_SET);
  fs::gzip_lines lines{std::move(file), "fuzz"};
  std::string back, line;
  try {
    while (lines.next(line)) back += line + '\n';
    demand(back == text, "what was packed is unpacked");
  } catch (const error&) {
    demand(!text.ends_with('\n'), "only what ends within a line is refused");
  }
}

void unpack(std::string_view any) {
  try {
    fs::gzip_lines lines{file_with(any), "fuzz"};
    for (std::string line; lines.next(line);)
      demand(line.find('\n') == std::string::npos && line.size() <= 2 << 20, "a line is bounded");
  } catch (const error& e) {
    demand(e.code() == exit_code::local && fuzz::is_one_line(e.what()), "what is damaged is said in a line");
  }
}

void shell(std::uint64_t number, std::string_view path, std::string_view any) {
  if (const auto a = remote::parse_shell_answer(any))
    demand(a->sha256.empty() || a->sha256.size() == 32, "a digest is one, or none");
  const std::string quoted = remote::shell_quoted(path);
  std::string plain;  // as a shell reads it
  bool inside = false;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\'')
      inside = !inside;
    else if (!inside)
      demand(quoted[i] == '\\' && quoted[i + 1] == '\'', "nothing but a quote stands outside of quotes"),
          plain += quoted[++i];
    else
      plain += quoted[i];
  }
  demand(!inside && plain == path, "a shell reads the path as it is");
  const auto none = remote::parse_shell_answer(std::to_string(number) + " none");
  demand(none && none->number == number && none->sha256.empty(), "that there is no digest is read back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const auto what = in.below(6);
  const auto number = in.number(8);
  const auto path = in.text(), any = in.rest();
  if (what == 0) list(number, path, any);
  if (what == 1) decision(static_cast<std::int64_t>(number), path, any);
  if (what == 2) decisions_file(number % (any.size() + 2), number / 1024 % (any.size() + 2), any);
  if (what == 3) packed(number % 2 == 0, any);
  if (what == 4) unpack(any);
  if (what == 5) shell(number, path, any);
  return 0;
}
