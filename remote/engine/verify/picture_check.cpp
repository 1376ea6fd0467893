#include "remote/engine/verify/picture_check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>

#include "index/base/clock.hpp"
#include "index/base/disk.hpp"
#include "index/base/mutex.hpp"
#include "index/base/promise.hpp"
#include "index/base/time.hpp"
#include "index/update/verify_result.hpp"
#include "remote/engine/source_facts.hpp"
#include "remote/files/sha256.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t read_size = 1U << 20;

std::int64_t now_seconds() { return wall_seconds(); }

std::string short_hex(const std::string& digest) {
  std::string text;
  for (std::size_t i = 0; i < 4 && i < digest.size(); ++i)
    text += fmt::format("{:02x}", static_cast<unsigned char>(digest[i]));
  return text + "…";
}

bool is_as_known(const struct stat& st, const file_facts& known) {
  return static_cast<std::uint64_t>(st.st_size) == known.size && to_ns(st.st_mtim) == known.mtime;
}

}  // namespace

void picture_check::run(verify_item& one) {
  const unique_fd file = needs_.where.open(one.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat st {};
  if (!file && errno == ENOENT) return apply_missing_file(one);
  if (!file) return report_wrong(one, fmt::format("cannot be opened: {}", std::strerror(errno)));
  if (disk().fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode) || !is_as_known(st, *one.row.local))
    return report_changed(one);
  std::string digest;
  if (const int problem = read(file.get(), digest))
    return report_wrong(one, fmt::format("cannot be read: {}", std::strerror(problem)));
  if (disk().fstat(file.get(), &st) != 0 || !is_as_known(st, *one.row.local)) return report_changed(one);
  if (needs_.stop.stop_requested()) return;
  judge(one, digest);
}

// 0 or errno. From the disk and not from the page cache, as far as that can be had, which it leaves as it was.
int picture_check::read(int fd, std::string& digest) {
  disk().posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  disk().posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  buffer_.resize(read_size);
  sha256 hash;
  ssize_t n = 0;
  off_t at = 0;
  while ((n = disk().pread(fd, buffer_.data(), buffer_.size(), at)) > 0 && !needs_.stop.stop_requested()) {
    hash.add(std::span(buffer_).first(static_cast<std::size_t>(n)));
    at += n;
    needs_.tally.add_read(static_cast<std::uint64_t>(n));
  }
  if (n < 0) return errno;
  disk().posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  digest = hash.result();
  return 0;
}

void picture_check::judge(verify_item& one, const std::string& digest) {
  const std::string& known = one.row.sha256;
  const auto theirs = one.source ? compare(one, digest) : std::nullopt;
  if (theirs && theirs->why) {
    if (!known.empty() && known != digest) return apply_spoilt_digest(one, digest, known, "as it should be");
    return report_unverified(one, "not compared with the source: " + theirs->why->text);
  }
  if (theirs && theirs->is_another_file) return report_unverified(one, "changed on the source; run ferryfs scan");
  if (theirs && theirs->sha256 != digest) {
    const bool as_known = known.empty() ? is_sound_here(one.row.reason) : known == digest;
    if (as_known) return apply_source_difference(one, digest, theirs->sha256);
    return apply_spoilt_digest(one, digest, theirs->sha256, "on the source");
  }
  if (!theirs && !known.empty() && known != digest) return apply_spoilt_digest(one, digest, known, "as it should be");
  apply_sound_digest(one, digest, theirs.has_value());
}

void picture_check::apply_sound_digest(const verify_item& one, const std::string& digest, bool compared) {
  const entry& row = one.row;
  if (row.sha256 != digest || is_doubt(row.reason) || (compared && !row.is_compared()))
    needs_.index.post([row, digest, compared](index::transaction& t) {
      const auto now = t.by_inode(row.ino);
      index::apply_sound_digest(t, row.ino, *row.local, digest, compared && now && now->source == row.source);
    });
  needs_.tally.add_sound(row.local->size, row.sha256.empty(), compared);
}

// Nothing: the source does not answer at all.
std::optional<picture_check::comparison> picture_check::compare(verify_item& one, const std::string& digest) {
  auto answer = one.source->get();
  comparison c{std::move(answer.why), false, std::move(answer.sha256)};
  if (!c.why && c.sha256 != digest) c.is_another_file = is_another_on_source(one, c.why);
  if (!c.why || !c.why->of_connection()) return c;
  needs_.tally.add_uncompared(c.why->text);
  return std::nullopt;
}

// Only a lost connection is a failure of this question.
bool picture_check::is_another_on_source(const verify_item& one, std::optional<failure>& why) {
  const auto end = std::make_shared<promise<std::pair<std::optional<failure>, bool>>>();
  needs_.source.stat(one.source_path, [&, end](const std::optional<failure>& failed, const attributes& a) {
    if (failed && failed->of_connection()) return end->set_value({failed, false});
    end->set_value({std::nullopt, failed || shows_another(*one.row.source, a, needs_.where.times())});
  });
  auto [failed, another] = end->get();
  why = std::move(failed);
  return another;
}

void picture_check::apply_spoilt_digest(const verify_item& one, const std::string& digest, const std::string& expected,
                                        const char* where) {
  const std::string why = fmt::format("digest differs: {} here, {} {}", short_hex(digest), short_hex(expected), where);
  const bool still = needs_.index.run([&](index::transaction& t) {
    index::apply_spoilt_digest(t, one.row.ino, *one.row.local, expected, why);
    const auto now = t.by_inode(one.row.ino);
    return now && now->local == one.row.local;
  });
  still ? report_wrong(one, why) : report_changed(one);
}

// Ours is proven, or was written here: the source's digest does not speak against it.
void picture_check::apply_source_difference(const verify_item& one, const std::string& digest,
                                            const std::string& theirs) {
  const bool still = needs_.index.run(
      [&](index::transaction& t) { return index::apply_source_difference(t, one.row.ino, *one.row.local, digest); });
  const auto why = text_of(is_sound_here(one.row.reason) ? one.row.reason : reason::source_differs);
  still ? report_wrong(one, fmt::format("{}: {} here, {} there", why, short_hex(digest), short_hex(theirs)))
        : report_changed(one);
}

void picture_check::apply_missing_file(const verify_item& one) {
  const shared_lock held{needs_.where.namespace_lock()};
  const auto path = needs_.readers.borrow()->path(one.row.ino);
  const auto now = needs_.readers.borrow()->by_inode(one.row.ino);
  if (!path || !now || is_hidden(now->state)) return;  // removed through the mount
  if (needs_.where.look(*path)) return report_changed(one);
  needs_.index.run(
      [&](index::transaction& t) { index::apply_missing_file(t, one.row.ino, *one.row.local, now_seconds()); });
  report_wrong(one, "its file is gone from the destination");
}

void picture_check::report_changed(const verify_item& one) {
  report_unverified(one, "changed since it was last looked at; run ferryfs scan and verify again");
}

}  // namespace ferryfs::remote
