#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "fs/cli/output.hpp"
#include "fs/report/compare.hpp"
#include "fs/report/picture_json.hpp"
#include "index/base/path.hpp"
#include "index/model/list_line.hpp"

namespace ferryfs::fs {

// A list being printed, as lines or as one JSON array with a picture on each line.
class listing_output {
 public:
  explicit listing_output(bool as_json) : json_(as_json) {}
  bool add(std::uint64_t size, std::string_view path) { return put(size, path); }
  bool add(std::uint64_t size, std::string_view path, gap_change change) {
    const bool filled = change == gap_change::filled;
    return put(size, path, filled ? "\"change\":\"filled\"," : "\"change\":\"came\",", filled ? "- " : "+ ");
  }
  // As text the reason stands behind the last tab of the line.
  bool add(std::uint64_t size, std::string_view path, const std::string& reason) {
    return json_ ? put(size, path, reason_json(reason)) : put(size, path, "", "", '\t' + printable(reason));
  }
  // Whether a list of lines is to say why, also to a program: of a failure it is what is asked for.
  bool tells_why(std::string_view set) const { return json_ || terminal_ || set == "failed"; }
  void finish() {
    if (json_) out_.add(first_ ? "[]\n" : "\n]\n");
    out_.finish();
  }

 private:
  bool put(std::uint64_t size, std::string_view path, const std::string& json_part = "", const char* mark = "",
           const std::string& reason = "") {
    text_ = json_ ? (first_ ? "[\n" : ",\n") + picture_json(size, path, json_part) : mark;
    if (!json_) index::append_line(text_, size, path);
    if (terminal_) escape();
    if (!reason.empty()) text_.insert(text_.size() - 1, reason);  // before the newline
    first_ = false;
    return out_.add(text_);
  }

  // A name may hold what a terminal takes for a command; programs get each byte as it is.
  void escape() {
    const auto text = std::string_view(text_).substr(0, text_.find_last_not_of('\n') + 1);
    const auto begin = text.find_first_not_of("[,\n");
    text_ = text_.substr(0, begin) + printable(text.substr(begin)) + text_.substr(text.size());
  }

  bool json_, first_ = true;
  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
  std::string text_;
  output out_;
};

}  // namespace ferryfs::fs
