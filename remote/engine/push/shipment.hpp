// One picture on its way to the source: sent under its part name, proven by its digest, renamed. A state machine driven
// by the archive's answers, one at a time, on its threads.
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
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// The file as it was when its digest was computed.
struct local_file {
  unique_fd file;
  struct stat as {};
  std::string sha256;
};

// What is to be said of bytes that a digest has shown to be wrong: they must not replace the last good ones.
inline constexpr const char* spoilt_here =
    "its bytes here are not the ones that it should have; ferryfs resolve it first";
inline bool is_spoilt(const entry& e) noexcept { return e.state == state::conflict && e.reason == reason::spoilt; }

class shipment final : public writing, public std::enable_shared_from_this<shipment> {
 public:
  struct services {
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
    there,    // the source had the same already
    changed,  // here, while it was sent
    failed,
  };
  using done = std::function<void(end, const std::optional<failure>&, const attributes& on_source)>;

  // `path` here, `target` on the source. What the source has is replaced if it still is `replaces`.
  shipment(services s, entry row, std::string path, std::string target, local_file from,
           std::optional<file_facts> replaces);

  // `call` is called once.
  void go(done call);

  const entry& row() const noexcept { return row_; }
  const std::string& shown_path() const noexcept { return here_; }
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
  void looked(const std::optional<failure>& why, const attributes& there);
  void compare(const attributes& there);
  // Runs one step, on an archive's thread; what it throws is how the shipment ends.
  void attempt(const std::function<void()>& step);
  void written(const std::optional<failure>& why, const attributes& after);
  void denied(const failure& why);
  void clear_way(const failure& why, const attributes& there);
  void proven(const std::optional<failure>& why, const std::string& sha256);
  void look_again();
  void rename_onto(const std::optional<failure>& why, const attributes& there);
  void renamed(const std::optional<failure>& why);
  void refuse(const std::string& why);
  void discard(end how, std::optional<failure> why);
  void over(end how, const std::optional<failure>& why = {}, const attributes& there = {});

  services services_;
  const entry row_;
  const std::string here_, target_, part_;
  const local_file from_;
  const std::optional<file_facts> replaces_;
  done done_;
  std::uint64_t begun_at_ = 0, at_ = 0;
  bool anew_ = false;         // from its first byte, whatever stands there
  bool begun_ = false;        // its part was opened
  bool failed_once_ = false;  // to be opened, for a reason that may be gone
  bool cleared_ = false;      // what stood under the part's name was taken away
  int local_problem_ = 0;     // errno
  attributes after_;
};

}  // namespace ferryfs::remote
