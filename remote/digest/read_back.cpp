#include "remote/digest/read_back.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "index/exception_barrier.hpp"
#include "index/path.hpp"
#include "remote/sha256.hpp"

namespace ferryfs::remote {
namespace {

// Bytes come in any order, though hardly ever in another than that of the requests. What comes early waits.
class whole_file final : public reading {
 public:
  whole_file(std::string path, const attributes& before, archive::digested done)
      : path_(std::move(path)), before_(before), done_(std::move(done)) {}

  const std::string& path() const override { return path_; }

  next want(std::uint32_t at_most) override {
    const std::lock_guard lock{mutex_};
    if (requested_ == before_.size) return {wish::enough, {}};
    if (requested_ - added_ > most_ahead) return {wish::later, {}};
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(at_most, before_.size - requested_));
    const range part{requested_, length};
    requested_ += length;
    return {wish::more, part};
  }

  void arrived(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const std::lock_guard lock{mutex_};
    if (offset != added_) {
      early_.emplace(offset, std::vector<std::byte>{bytes.begin(), bytes.end()});
      return;
    }
    add(bytes);
    for (auto at = early_.begin(); at != early_.end() && at->first == added_; at = early_.erase(at)) add(at->second);
  }

  void finished(const std::optional<failure>& why, const attributes& after) override {
    if (why) return done_(why, {});
    const std::lock_guard lock{mutex_};
    if (after.size != before_.size || after.mtime != before_.mtime || added_ != before_.size)
      return done_(failure{cause::changed, fmt::format("{}: changed while it was read", printable(path_))}, {});
    done_(std::nullopt, hash_.result());
  }

 private:
  static constexpr std::uint64_t most_ahead = 16U << 20;

  void add(std::span<const std::byte> bytes) {
    hash_.add(bytes);
    added_ += bytes.size();
  }

  const std::string path_;
  const attributes before_;
  const archive::digested done_;
  std::mutex mutex_;
  sha256 hash_;
  std::uint64_t requested_ = 0, added_ = 0;
  std::map<std::uint64_t, std::vector<std::byte>> early_;
};

}  // namespace

void digest_by_reading(archive& source, const std::string& path, archive::digested done) {
  source.stat(path, [&source, path, done = std::move(done)](const auto& why, const attributes& a) {
    if (why) return done(why, {});
    if (!S_ISREG(a.mode))
      return done(failure{cause::source_error, fmt::format("{}: no regular file", printable(path))}, {});
    const auto to = std::make_shared<whole_file>(path, a, done);
    if (const auto thrown = contain("digest", [&] { source.read(to, lane::background); }))
      done(failure_of(thrown, printable(path)), {});
  });
}

}  // namespace ferryfs::remote
