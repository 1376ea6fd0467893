// One picture on its way to the source: sent under its part name, proven by its digest, renamed. A state machine driven
// by the archive's answers, one at a time, on its threads.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "index/entry.hpp"
#include "remote/archive.hpp"
#include "remote/destination.hpp"
#include "remote/fetch/limiter.hpp"

namespace ferryfs::remote {

// The file as it was when its digest was computed.
struct local_file {
  unique_fd file;
  struct stat as {};
  std::string sha256;
};

class shipment final : public writing, public std::enable_shared_from_this<shipment> {
 public:
  struct services {
    archive& source;
    const destination& where;
    limiter& limit;
    std::atomic<std::uint64_t>& bytes;  // sent, counted up
    std::stop_token stop;               // ends it where it is; a part of it stays on the source, to be gone on with
  };
  enum class end {
    sent,
    there,    // the source had the same already
    changed,  // here, while it was sent
    failed,
  };
  using done = std::function<void(end, const std::optional<failure>&, const attributes& on_source)>;

  // `path` here, `target` on the source. A row in conflict replaces what the source has, if that still is what the row
  // knows.
  shipment(services s, entry row, std::string path, std::string target, local_file from);

  // `call` is called once.
  void go(done call);

  const entry& row() const noexcept { return row_; }
  const std::string& shown_path() const noexcept { return here_; }
  const std::string& sha256() const noexcept { return from_.sha256; }

  // writing
  const std::string& path() const override { return part_; }
  std::uint64_t begin(std::uint64_t there) override;
  next give(std::uint32_t at_most, std::vector<std::byte>& into) override;
  attributes wanted() const override;
  void finished(const std::optional<failure>& why, const attributes& after) override;

 private:
  std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(from_.as.st_size); }
  bool is_known(const attributes& there) const;
  bool is_unchanged() const;
  void looked(const std::optional<failure>& why, const attributes& there);
  void compare(const attributes& there);
  void prove();
  void proven(const std::optional<failure>& why, const std::string& sha256);
  void replace();
  void renamed(const std::optional<failure>& why);
  void refuse(const std::string& why);
  void discard(end how, std::optional<failure> why);
  void over(end how, const std::optional<failure>& why = {}, const attributes& there = {});

  services services_;
  const entry row_;
  const std::string here_, target_, part_;
  const local_file from_;
  const bool replaces_;
  done done_;
  std::uint64_t begun_at_ = 0, at_ = 0;
  bool anew_ = false;
  int local_problem_ = 0;  // errno
  attributes after_;
};

}  // namespace ferryfs::remote
