// Sends one picture to the source: under its part name, then proven by its digest, then renamed. A state machine driven
// by the archive's answers, one at a time, on the archive's threads.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "index/db/reader.hpp"
#include "index/model/entry.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/limiter.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/push/local_file.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class upload final : public writing, public std::enable_shared_from_this<upload> {
 public:
  struct dependencies {
    archive& source;
    const destination& where;
    limiter& limit;
    index::readers& readers;
    const open_files_query& open;
    std::atomic<std::uint64_t>& bytes;  // sent, counted up
    std::stop_token stop;               // ends it where it is; a part of it stays on the source, to be gone on with
    std::string archive_id;             // of this archive, which the part's name carries
  };
  enum class end {
    sent,
    already_there,  // the source had the same already
    changed,        // here, while it was sent
    failed,
  };
  using callback = std::function<void(end, const std::optional<failure>&, const attributes& on_source)>;

  // `path` here, `target` on the source. The source's file is replaced if it still is `replaces`.
  upload(dependencies d, entry row, std::string path, std::string target, local_file from,
         std::optional<file_facts> replaces);

  // `on_done` is called once, on an archive's thread.
  void start(callback on_done);

  const std::string& sha256() const noexcept { return from_.sha256; }

  // writing
  const std::string& path() const override { return part_; }
  std::uint64_t begin(std::uint64_t there) override;
  next next_bytes(std::uint32_t at_most, std::vector<std::byte>& into) override;
  attributes final_attributes() const override;
  void finished(const std::optional<failure>& why, const attributes& after) override;

 private:
  std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(from_.as.st_size); }
  bool is_known(const attributes& there) const;
  bool is_unchanged() const;
  bool is_spoilt() const;
  void on_stat(const std::optional<failure>& why, const attributes& there);
  void compare_digest(const attributes& there);
  // Runs one step, on an archive's thread; where the step throws, the upload ends with that.
  void attempt(const std::function<void()>& step);
  void on_written(const std::optional<failure>& why, const attributes& after);
  void on_denied(const failure& why);
  void clear_way(const failure& why, const attributes& there);
  void on_digest(const std::optional<failure>& why, const std::string& sha256);
  void stat_again();
  void rename_onto(const std::optional<failure>& why, const attributes& there);
  void on_renamed(const std::optional<failure>& why);
  void refuse(const std::string& why);
  void discard(end how, std::optional<failure> why);
  void complete(end how, const std::optional<failure>& why = {}, const attributes& there = {});

  const dependencies needs_;
  const entry row_;
  const std::string here_, target_, part_;
  const local_file from_;
  const std::optional<file_facts> replaces_;
  callback on_done_;
  std::uint64_t begun_at_ = 0, at_ = 0;
  bool from_first_byte_ = false;   // from its first byte, whatever stands there
  bool part_opened_ = false;       // its part was opened
  bool failed_once_ = false;       // to be opened, for a reason that may be gone
  bool obstacle_removed_ = false;  // a file under the part's name was removed
  int local_problem_ = 0;          // errno
  attributes after_;
};

}  // namespace ferryfs::remote
