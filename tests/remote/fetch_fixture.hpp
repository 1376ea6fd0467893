// A destination with its index, a source that is driven by hand, and the fetcher between them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <mutex>

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "index/base/path.hpp"
#include "remote/engine/fetch/fetcher.hpp"
#include "remote/engine/source_facts.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {

inline constexpr std::int64_t second = 1'000'000'000;

// Bytes that differ everywhere, so that a piece in the wrong place is seen.
inline std::string content_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2'654'435'761U) >> 13);
  return text;
}

struct taken_destination : remote::destination {
  explicit taken_destination(const std::filesystem::path& path) : destination(path.string()) { acquire(""); }
  // Whether anything of a picture that did not land is left.
  bool has_partials() const {
    for (const auto& e : std::filesystem::recursive_directory_iterator(path() + "/.ferryfs/partial"))
      if (!e.is_directory()) return true;
    return false;
  }
};

// One who waits for bytes, or for a fetch to end.
class waiting {
 public:
  remote::read_callback callback() {
    return [state = state_](const remote::read_result& o) { state->end(o); };
  }
  remote::fetch_callback done() {
    return [state = state_](const std::optional<remote::failure>& why) {
      why ? state->end(*why) : state->end(remote::local_read{});
    };
  }
  bool is_over() const { return state_->calls() > 0; }
  std::size_t calls() const { return state_->calls(); }
  // Waits for it.
  remote::read_result get() const {
    if (!wait_until([&] { return is_over(); })) throw std::logic_error("nobody was told");
    return state_->first();
  }
  // The bytes it got in `length` from `offset`.
  std::string bytes(std::uint64_t offset, std::size_t length) const {
    const auto o = get();
    if (const auto* unkept = std::get_if<remote::direct_read>(&o))
      return {reinterpret_cast<const char*>(unkept->bytes.data()), unkept->bytes.size()};
    const auto* ready = std::get_if<remote::partial_read>(&o);
    if (ready == nullptr) throw std::logic_error("it was not told of bytes");
    std::string text(length, '\0');
    const ssize_t n = ::pread(ready->file->get(), text.data(), length, static_cast<off_t>(offset));
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return text;
  }
  std::optional<remote::cause> failed() const {
    const auto o = get();
    const auto* f = std::get_if<remote::failure>(&o);
    return f == nullptr ? std::nullopt : std::optional(f->why);
  }
  bool is_direct() const { return std::holds_alternative<remote::direct_read>(get()); }
  bool became_local() const { return std::holds_alternative<remote::local_read>(get()); }

 private:
  class state {
   public:
    void end(const remote::read_result& o) {
      const std::lock_guard lock{mutex_};
      if (calls_++ == 0) outcome_ = o;
    }
    std::size_t calls() {
      const std::lock_guard lock{mutex_};
      return calls_;
    }
    remote::read_result first() {
      const std::lock_guard lock{mutex_};
      return outcome_;
    }

   private:
    std::mutex mutex_;
    std::size_t calls_ = 0;
    remote::read_result outcome_;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

struct archive_fixture {
  temp_dir dir{"destination"};
  fake_archive source;
  taken_destination where;
  index::writer writer{where.index_path()};
  index::readers readers{where.index_path()};
  remote::limiter limit;

  explicit archive_fixture(std::size_t depth = 8) : source(depth), where(dir.path()) {}

  std::optional<entry> at(const std::string& path) { return readers.borrow()->at(path); }
  entry row(const std::string& path) { return at(path).value(); }
  std::filesystem::path on_disk(const std::string& path) const { return std::filesystem::path(where.path()) / path; }
  bool partials_left() const { return where.has_partials(); }

  // Enters what the source has under a path, and the directories above it, in the index.
  inode index_path(const std::string& path) {
    inode parent = root_inode;
    for (std::size_t slash = 0; slash != std::string::npos;) {
      slash = path.find('/', slash + 1);
      const std::string here = path.substr(0, slash);
      const auto known = at(here);
      parent = known ? known->ino : insert(parent, here);
    }
    return parent;
  }
  // A file on the source that the index knows as a gap.
  inode gap(const std::string& path, std::string content, std::int64_t mtime = long_ago, unsigned mode = 0644) {
    source.put_file(path, std::move(content), mtime, mode);
    return index_path(path);
  }
  template <typename Edit>
  void edit(inode ino, Edit&& change) {
    writer.run([&](index::transaction& t) {
      const entry before = t.by_inode(ino).value();
      entry after = before;
      change(after);
      t.update(before, after);
    });
  }
  // A copy of `path` that was fetched when the source had this content.
  void outdated_copy(const std::string& path, const std::string& content, std::int64_t mtime) {
    write_file(on_disk(path), content);
    const timespec times[] = {{mtime, 0}, {mtime, 0}};
    REQUIRE(::utimensat(AT_FDCWD, on_disk(path).c_str(), times, 0) == 0);
    edit(row(path).ino, [&](entry& e) {
      e.local = file_facts{S_IFREG | 0644, content.size(), mtime * second}, e.fetched = true, e.state = classify(e);
    });
  }

 private:
  inode insert(inode parent, const std::string& path) {
    const auto a = source.look(path);
    entry e;
    e.parent = parent, e.name = path.substr(path.rfind('/') + 1), e.day = 20130715;
    e.source = remote::facts_of(a, where.times());
    return writer.run([&](index::transaction& t) { return t.insert(e); });
  }
};

struct fetch_fixture : archive_fixture {
  remote::fetcher fetch;

  explicit fetch_fixture(std::chrono::seconds quiet = std::chrono::seconds{10})
      : fetch{where, source, writer, readers, limit, 0, quiet} {
    source.hold_reads();
  }
  // The fetcher ends when nothing is on its way.
  ~fetch_fixture() { source.stop(); }

  waiting await_range(inode ino, std::uint64_t offset = 0, std::uint64_t length = 1) {
    waiting w;
    fetch.await_range(ino, offset, length, w.callback());
    return w;
  }
  waiting background(const std::string& path) {
    waiting w;
    fetch.fetch(row(path), path, remote::priority::background, w.done());
    return w;
  }
};

}  // namespace ferryfs::test
