// A user at the mount, without a mount: what the handlers of FUSE call, called as they do.
#pragma once

#include <fcntl.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/answers.hpp"
#include "tests/remote/migration_fixture.hpp"

namespace ferryfs::test {

// The errno that `operation` is answered with; 0: it went well.
template <typename Operation>
int errno_from(Operation&& operation) {
  try {
    operation();
    return 0;
  } catch (...) {
    return fs::errno_of_current_exception();
  }
}

struct user_fixture : migration_fixture {
  fs::merged_tree tree{m, {}};
  const fs::backing_files no_passthrough{[](int) { return 0; }, [](std::int32_t) {}};

  ~user_fixture() { m.stop(); }

  fs::handle_pointer create(inode parent, const char* name, mode_t mode = 0644) {
    const int flags = O_RDWR | O_CREAT;
    const auto made = fs::create_picture(tree, {}, parent, name, mode, flags);
    fs::begin_open(tree, made.handle, flags, no_passthrough);
    return made.handle;
  }
  fs::handle_pointer open(inode ino, int flags) {
    const auto handle = fs::open_picture(tree, ino, flags);
    fs::begin_open(tree, handle, flags, no_passthrough);
    return handle;
  }
  void write(const fs::handle_pointer& handle, std::string_view bytes, off_t offset = 0) {
    const auto file = fs::file_to_change(tree, *handle);
    if (!file) throw std::logic_error("it is missing");
    fs::write_bytes(tree, *handle, file, bytes, offset);
  }
  // close(2) of the last descriptor: the kernel flushes, then releases.
  void close(const fs::handle_pointer& handle) {
    fs::record_written(tree, handle->ino);
    fs::end_open(tree, handle, no_passthrough);
  }
  void save(inode parent, const char* name, std::string_view bytes) {
    const auto handle = create(parent, name);
    write(handle, bytes);
    close(handle);
  }
  void hydrate(inode ino) {
    std::promise<std::optional<remote::failure>> end;
    fs::hydrate(tree, ino, [&](const auto& why) { end.set_value(why); });
    if (const auto why = end.get_future().get()) throw remote::failure{*why};
  }
  // The inode that a name stands for; 0: none.
  inode look_up(const char* name, inode parent = root_inode) {
    const auto found = fs::look_up(tree, parent, name);
    if (!found) throw std::logic_error("the directory was never listed");
    return found->ino;
  }
  off_t size_of(inode ino) { return fs::attributes(tree, ino).st.st_size; }
  std::string here(const std::string& path) { return read_file(on_disk(path)); }
  bool is_here(const std::string& path) { return std::filesystem::exists(on_disk(path)); }

  // All that read(2) gets of `handle` at once, waiting for a missing picture.
  std::string read(const fs::handle_pointer& handle, std::size_t size, off_t offset = 0);
};

// Waits for the bytes of a missing picture.
class waiting_user final : public fs::read_waiter {
 public:
  waiting_user(std::size_t size, off_t offset) : size_(size), offset_(offset) {}
  void answer(const std::function<fs::missing_bytes()>& bytes) override {
    if (answered_.exchange(true)) return;
    try {
      const auto got = bytes();
      const auto* file = std::get_if<std::shared_ptr<const unique_fd>>(&got);
      if (file == nullptr) {
        const auto& unkept = std::get<std::span<const std::byte>>(got);
        return end_.set_value({reinterpret_cast<const char*>(unkept.data()), unkept.size()});
      }
      end_.set_value(read_at(**file, size_, offset_));
    } catch (...) {
      end_.set_exception(std::current_exception());
    }
  }
  bool is_answered() override { return answered_; }
  void waits_as(std::uint64_t) override {}
  std::string get() { return end_.get_future().get(); }

  static std::string read_at(const unique_fd& file, std::size_t size, off_t offset) {
    std::string bytes(size, '\0');
    const auto n = disk().pread(file.get(), bytes.data(), size, offset);
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return bytes;
  }

 private:
  const std::size_t size_;
  const off_t offset_;
  std::atomic<bool> answered_ = false;
  std::promise<std::string> end_;
};

inline std::string user_fixture::read(const fs::handle_pointer& handle, std::size_t size, off_t offset) {
  if (const auto file = fs::file_to_read(tree, *handle)) return waiting_user::read_at(*file, size, offset);
  const auto user = std::make_shared<waiting_user>(size, offset);
  fs::read_missing(tree, handle, size, offset, user);
  return user->get();
}

}  // namespace ferryfs::test
