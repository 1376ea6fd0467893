// How ferryfs says no: one line on stderr, an exit code.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/sshd.hpp"

namespace ferryfs::test {

enum exit_code { complete = 0, incomplete = 1, usage = 2, source = 3, local = 4 };

inline void check_one_line(const process_result& result, exit_code code, const std::string& says) {
  INFO("stderr: " << result.err << "stdout: " << result.out);
  CHECK_FALSE(result.timed_out);
  CHECK(result.code == code);
  CHECK(result.err.starts_with("ferryfs: "));
  CHECK(result.err.ends_with('\n'));
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  CHECK_THAT(result.err, contains_text(says));
}

// `ferryfs sync` as one would call it against this server.
inline std::vector<std::string> sync_command(const sshd& server, const std::filesystem::path& source,
                                             const std::filesystem::path& destination,
                                             std::vector<std::string> more = {}) {
  std::vector<std::string> words{"sync",          server.url(source),   destination,    "--identity", server.identity(),
                                 "--known-hosts", server.known_hosts(), "--io-timeout", "5"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace ferryfs::test
