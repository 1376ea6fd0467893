// Verifies one picture: reads the file here, compares its digest with those that are known, and records the outcome in
// the index.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/promise.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/verify/verify_tally.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// The source's answer for one picture.
struct source_digest {
  std::optional<failure> why;
  std::string sha256;
};

struct verify_item {
  std::string path;
  entry row;
  std::string source_path;
  std::shared_ptr<promise<source_digest>> source;  // null: the source is not asked
};

// Threads: one a picture_check.
class picture_check {
 public:
  struct dependencies {
    const destination& where;
    archive& source;
    index::writer& index;
    index::readers& readers;
    verify_tally& tally;
    std::stop_token stop;
  };
  explicit picture_check(dependencies d) : needs_(std::move(d)) {}

  // Blocks until the picture is read and the source has answered.
  void run(verify_item& one);

 private:
  // The source's answer, as far as it is of use.
  struct comparison {
    std::optional<failure> why;    // the source's copy can't be had
    bool is_another_file = false;  // its file is not the one that the index knows: its digest says nothing of ours
    std::string sha256;
  };

  int read(int fd, std::string& digest);
  void judge(verify_item& one, const std::string& digest);
  void apply_sound_digest(const verify_item& one, const std::string& digest, bool compared);
  std::optional<comparison> compare(verify_item& one, const std::string& digest);
  bool is_another_on_source(const verify_item& one, std::optional<failure>& why);
  void apply_spoilt_digest(const verify_item& one, const std::string& digest, const std::string& expected,
                           const char* where);
  void apply_source_difference(const verify_item& one, const std::string& digest, const std::string& theirs);
  void apply_missing_file(const verify_item& one);
  void report_wrong(const verify_item& one, const std::string& why) { needs_.tally.add_wrong(one.path, why); }
  void report_unverified(const verify_item& one, const std::string& why) { needs_.tally.add_unverified(one.path, why); }
  void report_changed(const verify_item& one);

  const dependencies needs_;
  std::vector<std::byte> buffer_;
};

}  // namespace ferryfs::remote
