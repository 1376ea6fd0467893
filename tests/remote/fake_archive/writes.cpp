// What the fake archive does when it is written to or changed.
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "remote/files/split_path.hpp"
#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {

using remote::cause;
using remote::failure;
using remote::writing;

void fake_archive::write(std::shared_ptr<writing> from) {
  post(
      [this, from = std::move(from)](const auto& refused) { refused ? from->finished(refused, {}) : write_now(from); });
}

void fake_archive::write_now(const std::shared_ptr<writing>& from) {
  const std::string path = from->path();
  call_before(path);
  if (const auto wrong = fault_of(path)) return from->finished(wrong->why, {});
  if (look(split_path(path).first).mode == 0)
    return from->finished(failure{cause::not_found, path + ": no directory"}, {});
  std::string content = this->content(path).value_or("");
  content.resize(from->begin(content.size()));
  std::vector<std::byte> bytes;
  for (auto next = from->next_bytes(4, bytes); next.what != remote::next_step::done;
       next = from->next_bytes(4, bytes)) {
    content.resize(std::max<std::size_t>(content.size(), next.offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(content.data()) + next.offset);
    bytes.clear();
    put(path, {{S_IFREG | 0600, content.size(), long_ago}, content});  // as far as it came
    if (const auto wrong = fault_of(path)) return from->finished(wrong->why, {});
  }
  const auto wanted = from->final_attributes();
  {
    const std::lock_guard lock{mutex_};
    if (spoilt_.contains(path) && !content.empty()) content.back() ^= 1;
  }
  put(path, {{S_IFREG | (wanted.mode & 07777), content.size(), wanted.mtime}, content});
  from->finished(std::nullopt, shown(path, false));
}

void fake_archive::change(const std::string& path, change_callback done, std::function<std::optional<failure>()> make) {
  post([this, path, done = std::move(done), make = std::move(make)](const auto& refused) {
    if (refused) return done(refused, {});
    call_before(path);
    if (const auto wrong = fault_of(path)) return done(wrong->why, {});
    const auto why = make();
    done(why, look(path));
  });
}

void fake_archive::make_directory(const std::string& path, std::uint32_t mode, change_callback done) {
  change(path, std::move(done), [this, path, mode]() -> std::optional<failure> {
    if (look(path).mode != 0) return failure{cause::exists, path + ": is there"};
    put_directory(path, long_ago, mode);
    return std::nullopt;
  });
}

void fake_archive::make_link(const std::string& path, const std::string& target, change_callback done) {
  change(path, std::move(done), [this, path, target]() -> std::optional<failure> {
    if (look(path).mode != 0) return failure{cause::exists, path + ": is there"};
    put_link(path, target);
    return std::nullopt;
  });
}

void fake_archive::rename(const std::string& from, const std::string& to, bool replace, change_callback done) {
  change(to, std::move(done), [this, from, to, replace]() -> std::optional<failure> {
    if (!replace && look(to).mode != 0) return failure{cause::exists, to + ": is there"};
    const auto a = look(from);
    if (a.mode == 0) return failure{cause::not_found, from + ": not there"};
    put(to, {a, *content(from)});
    remove_now(from);
    return std::nullopt;
  });
}

void fake_archive::remove(const std::string& path, change_callback done) {
  change(path, std::move(done), [this, path]() -> std::optional<failure> {
    if (look(path).mode == 0) return failure{cause::not_found, path + ": not there"};
    remove_now(path);
    return std::nullopt;
  });
}

}  // namespace ferryfs::test
