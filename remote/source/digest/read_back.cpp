#include "remote/source/digest/read_back.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/files/sha256.hpp"

namespace ferryfs::remote {
namespace {

// Reads the file to its end, whatever its size is said to be. Bytes come in any order, though hardly ever in another
// than that of the requests. Early bytes wait. An archive's calls for one file come one after the other, so
// nothing is locked.
class whole_file final : public reading {
 public:
  // `again` reads it anew, as one that shows those attributes and had this digest, if any. `first`: the digest of an
  // earlier reading, during which its time became another.
  using anew = std::function<void(const attributes&, const std::string& first)>;
  whole_file(std::string path, const attributes& before, std::string first, archive::digest_callback done, anew again)
      : path_(std::move(path)),
        before_(before),
        first_(std::move(first)),
        done_(std::move(done)),
        again_(std::move(again)) {}

  const std::string& path() const override { return path_; }

  next next_range(std::uint32_t at_most) override {
    if (end_) return {next_step::done, {}};
    const std::uint64_t known = before_.size.value_or(0);
    if (requested_ - added_ > most_ahead) return {next_step::throttled, {}};
    if (requested_ < known) return more(std::min<std::uint64_t>(at_most, known - requested_));
    if (known == 0) return requested_ == added_ ? more(at_most) : next{next_step::throttled, {}};
    return requested_ == known ? more(1) : next{next_step::done, {}};  // where its end is to be
  }

  bool ends(std::uint64_t offset) override {
    end_ = std::min(end_.value_or(offset), offset);
    return true;
  }

  void arrived(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (offset != added_) {
      early_.emplace(offset, std::vector<std::byte>{bytes.begin(), bytes.end()});
      return;
    }
    add(bytes);
    for (auto at = early_.begin(); at != early_.end() && at->first == added_; at = early_.erase(at)) add(at->second);
  }

  void finished(const std::optional<failure>& why, const attributes& after) override {
    if (why) return done_(why, {});
    const std::uint64_t known = before_.size.value_or(0), now = after.size.value_or(0);
    const bool other_size = known != 0 && now != 0 && known != now;
    const bool other_time = before_.mtime && after.mtime && before_.mtime != after.mtime;
    if (!other_size && !other_time && !end_ && known != 0 && added_ > known)
      return again_({before_.mode, {}, before_.mtime}, {});
    const bool is_known_size =
        added_ == 0 ? known == 0 && now == 0 : known + now == 0 || added_ == known || added_ == now;
    const bool whole = !other_size && added_ == end_ && is_known_size;
    const std::string digest = hash_.result();
    // Some servers set a file's time long after its last byte: the same bytes twice are what it holds.
    if (whole && other_time && first_.empty()) return again_({before_.mode, before_.size, after.mtime}, digest);
    if (!whole || (other_time && digest != first_))
      return done_(failure{cause::changed, fmt::format("{}: changed while it was read", printable(path_))}, {});
    done_(std::nullopt, digest);
  }

 private:
  static constexpr std::uint64_t most_ahead = 16U << 20;

  next more(std::uint64_t length) {
    return {next_step::more, {std::exchange(requested_, requested_ + length), static_cast<std::uint32_t>(length)}};
  }
  void add(std::span<const std::byte> bytes) {
    hash_.add(bytes);
    added_ += bytes.size();
  }

  const std::string path_;
  const attributes before_;
  const std::string first_;
  const archive::digest_callback done_;
  const anew again_;
  sha256 hash_;
  std::uint64_t requested_ = 0, added_ = 0;
  std::optional<std::uint64_t> end_;
  std::map<std::uint64_t, std::vector<std::byte>> early_;
};

}  // namespace

namespace {

void read_whole(archive& source, const std::string& path, const attributes& a, const std::string& first,
                const archive::digest_callback& done) {
  const auto again = [&source, path, done](const attributes& as, const std::string& digest) {
    read_whole(source, path, as, digest, done);
  };
  const auto to = std::make_shared<whole_file>(path, a, first, done, again);
  if (const auto thrown = contain("digest", [&] { source.read(to, priority::background); }))
    done(failure_of(thrown, printable(path)), {});
}

}  // namespace

void digest_by_reading(archive& source, const std::string& path, archive::digest_callback done) {
  source.stat(path, [&source, path, done = std::move(done)](const auto& why, const attributes& a) {
    if (why) return done(why, {});
    if (!S_ISREG(a.mode))
      return done(failure{cause::source_error, fmt::format("{}: not a regular file", printable(path))}, {});
    read_whole(source, path, a, {}, done);
  });
}

}  // namespace ferryfs::remote
