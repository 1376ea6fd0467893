// What a push says when it has ended.
#pragma once

#include <string>

#include "index/error.hpp"
#include "remote/push/pusher.hpp"

namespace ferryfs::fs {

struct push_words {
  exit_code code;
  std::string text;  // one line
};
push_words words_for(const remote::push_result& r);

std::string push_line(const remote::pusher::progress& p);

}  // namespace ferryfs::fs
