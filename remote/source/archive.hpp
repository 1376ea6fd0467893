// The seam to where pictures come from: an old server over SFTP, a local directory, or a double that a test drives.
//
// Paths are relative to the archive's root and made of valid names. Every request ends with exactly one `finished`, on
// one of the archive's own threads; a request that throws when it is made was not taken. The archive's calls to one
// listing, reading or writing come one after the other, though not all on one thread. Callbacks must not block for
// long and may start new requests; an exception of a callback ends its request with a failure, and no other. An
// archive hands out only valid names; other names that a server sends are refused.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "remote/source/failure.hpp"

namespace ferryfs::remote {

// A larger size comes from a broken or hostile server: it counts as this, which no disk has room for. The sums of all
// sizes stay within 64 bits.
inline constexpr std::uint64_t largest_size = 1ULL << 50;

// A file's attributes, as far as an archive knows them. An empty field is one that it does not know, and is never taken
// for zero.
struct attributes {
  std::uint32_t mode = 0;                  // as st_mode; without the bits of a kind (S_IFMT) where that is not known
  std::optional<std::uint64_t> size = {};  // bytes
  std::optional<std::int64_t> mtime = {};  // whole seconds since 1970
  bool operator==(const attributes&) const = default;

  bool has_kind() const noexcept { return (mode & S_IFMT) != 0; }
};

struct directory_entry {
  std::string name;
  attributes attrs;
  std::string target;  // of a symbolic link
};

// One directory being listed; the caller implements it.
class listing {
 public:
  virtual ~listing() = default;
  // Some of the names: directories, regular files and symbolic links; never "." or "..".
  virtual void batch(std::vector<directory_entry> names) = 0;
  // A name of the directory that can't stand here, with its bytes as they were sent and the reason; the other names are
  // handed over all the same.
  virtual void refused(std::string name, std::string why) = 0;
  // No failure: the listing was complete.
  virtual void finished(const std::optional<failure>& why) = 0;
};

struct range {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;  // bytes; 0: nothing
  // The last byte lies behind the expected end of the file: an answer that lacks it alone is whole.
  bool beyond = false;
};

// A transfer's answer to an archive that asks how to go on.
enum class next_step {
  more,       // a range to request, or bytes to write
  throttled,  // nothing now, for a rate limit; the archive asks again within 10 ms
  done,       // nothing any more
};

// One file being read; the caller implements it. The archive calls it again and again for the next range to request.
class reading {
 public:
  virtual ~reading() = default;
  virtual const std::string& path() const = 0;

  struct next {
    next_step what;
    range part;  // for `more`
  };
  // The next range to request, at most `at_most` bytes. Must be quick.
  virtual next next_range(std::uint32_t at_most) = 0;

  // A reader waits for it now: it goes ahead of the other files that are being read.
  virtual bool urgent() const { return false; }

  // The file has no byte at `offset`, which was requested. False: the file became shorter, and the reading fails.
  virtual bool ends([[maybe_unused]] std::uint64_t offset) { return false; }

  // Bytes of a requested range, in any order.
  virtual void arrived(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  // No failure: all that was requested came; `after`: the file's attributes after its last byte was read.
  virtual void finished(const std::optional<failure>& why, const attributes& after) = 0;
};

// One file being written; the caller implements it. The archive calls it again and again for the next bytes.
class writing {
 public:
  virtual ~writing() = default;
  virtual const std::string& path() const = 0;

  // A file of `there` bytes stands under the path (0 where none does). Returns where to go on, at most `there`; the
  // archive cuts the file off at that.
  virtual std::uint64_t begin(std::uint64_t there) = 0;

  struct next {
    next_step what;
    std::uint64_t offset;  // for `more`
  };
  // Puts the next bytes, at most `at_most`, into `into`, which is empty. Must be quick.
  virtual next next_bytes(std::uint32_t at_most, std::vector<std::byte>& into) = 0;

  // The mode (the permission bits) and mtime that the archive sets after the last byte.
  virtual attributes final_attributes() const = 0;

  // No failure: all was written, synced where the source can, and closed; `after`: the file's attributes then.
  virtual void finished(const std::optional<failure>& why, const attributes& after) = 0;
};

// Demand goes ahead of background work, and has a connection that takes no background work.
enum class priority { demand, background };

class archive {
 public:
  virtual ~archive() = default;

  virtual void list(const std::string& path, std::shared_ptr<listing> to) = 0;
  virtual void stat(const std::string& path,
                    std::function<void(const std::optional<failure>&, const attributes&)> done) = 0;
  virtual void read(std::shared_ptr<reading> to, priority where) = 0;
  // The SHA-256 (32 bytes) of a file as the source has it; `done` is called once, on any thread. Where the source can
  // compute it by itself, no content passes the network. A path that is no regular file fails; no link is followed.
  using digest_callback = std::function<void(const std::optional<failure>&, const std::string& sha256)>;
  virtual void digest(const std::string& path, digest_callback done) = 0;
  // Moves a reading that is still queued as background to demand.
  virtual void promote(const std::shared_ptr<reading>& file) = 0;

  // Changes of the source, which only `push` makes. Each calls `done` once, with the attributes of what then stands
  // there.
  using change_callback = std::function<void(const std::optional<failure>&, const attributes&)>;
  // Makes the file or goes on with it; never through a link.
  virtual void write(std::shared_ptr<writing> from) = 0;
  // Where something has the name already: cause::exists.
  virtual void make_directory(const std::string& path, std::uint32_t mode, change_callback done) = 0;
  virtual void make_link(const std::string& path, const std::string& target, change_callback done) = 0;
  // Gives a file another name. Where something has that already: cause::exists, or with `replace`, atomically in place
  // of it, which needs can_replace().
  virtual void rename(const std::string& from, const std::string& to, bool replace, change_callback done) = 0;
  virtual void remove(const std::string& path, change_callback done) = 0;
  virtual bool can_replace() const = 0;

  // A number that tells the file system under the root from another that is mounted there later; nothing: it is not
  // known. Never blocks for the network.
  virtual std::optional<std::uint64_t> file_system() const { return std::nullopt; }

  struct health {
    bool reachable = true;
    std::string why;  // the last failure, while not reachable
  };
  virtual health state() const = 0;
  // `on_change` is called on an archive's thread whenever `reachable` changes. Set before the first request.
  virtual void set_listener(std::function<void(const health&)> on_change) = 0;

  // Ends every request and takes no more: later ones end with cause::cancelled. Blocks until the threads have ended.
  virtual void stop() = 0;

  // Background files that are worth having in flight at once; the replicator keeps as many queued.
  virtual std::size_t max_in_flight() const = 0;
};

}  // namespace ferryfs::remote
