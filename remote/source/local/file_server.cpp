#include "remote/source/local/file_server.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "index/base/path.hpp"
#include "remote/files/beneath.hpp"
#include "remote/files/list_directory.hpp"
#include "remote/files/rename.hpp"
#include "remote/files/unique_fd.hpp"
#include "remote/source/local/file_call.hpp"
#include "remote/source/local/file_process.hpp"

namespace ferryfs::remote {
namespace {

using clock = std::chrono::steady_clock;
using what = file_call::what;

constexpr std::chrono::seconds longest_silence{1};    // while a directory is listed
constexpr std::uint64_t most_unsynced = 16ULL << 20;  // bytes: to make all durable at the end takes no long time

class file_server {
 public:
  file_server(std::string root, int line, int place) : root_path_(std::move(root)), line_(line) {
    void* const page = ::mmap(nullptr, file_process::place_size, PROT_READ | PROT_WRITE, MAP_SHARED, place, 0);
    if (page != MAP_FAILED) place_ = static_cast<char*>(page);
  }
  void run() {
    while (is_asked()) {
      call_.problem = 0, call_.no_root = call_.more = false;
      try {
        call_.problem = make();
      } catch (const std::system_error& e) {
        call_.problem = e.code().value();
      } catch (const std::exception&) {
        call_.problem = ENOMEM;
      }
      if (!answer()) return;
    }
  }

 private:
  bool is_asked() { return ::recv(line_, &call_, sizeof call_, 0) > 0; }
  bool answer() const { return ::send(line_, &call_, call_.answered_size(), MSG_NOSIGNAL) > 0; }
  int make();
  int look();
  int list();
  void show(const char* name) const;
  void pack(const local_entry& e);
  int open(int flags);
  int read();
  int write();
  int finish();
  int close();
  int change();
  int change_in(int root, int directory, const std::string& name);
  unique_fd open_root();

  const std::string root_path_;
  const int line_;
  char* place_ = nullptr;  // what the one that asks can see
  file_call call_{};
  unique_fd file_;
  std::uint64_t unsynced_ = 0;
  std::size_t packed_ = 0;
  clock::time_point answered_;
};

// Anew for each request: a disk that is mounted later, or away for a while, stands under the path and not under what
// was opened once.
unique_fd file_server::open_root() {
  unique_fd root{::open(root_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  call_.no_root = !root;
  return root;
}

int file_server::make() {
  show("");
  switch (call_.wanted) {
    case what::resolve:
      return file_call::put(call_.other, real_path(root_path_)) ? 0 : ENAMETOOLONG;
    case what::look:
      return look();
    case what::list:
      return list();
    case what::list_on:
      return EINVAL;
    case what::open:
      return open(O_RDONLY);
    case what::read:
      return read();
    case what::create:
      return open(O_WRONLY | O_CREAT);
    case what::cut:
      return ::ftruncate(file_.get(), static_cast<off_t>(call_.offset)) == 0 ? 0 : errno;
    case what::write:
      return write();
    case what::finish:
      return finish();
    case what::close:
      return close();
    default:
      return change();
  }
}

int file_server::look() {
  const auto root = open_root();
  if (!root) return errno;
  const std::string path = call_.path;
  if (path.empty()) {
    if (::fstat(root.get(), &call_.shown) != 0) return errno;
    call_.file_system = call_.shown.st_dev;
    return 0;
  }
  const unique_fd file = open_beneath(root.get(), path, O_PATH | O_NOFOLLOW);
  return file && ::fstat(file.get(), &call_.shown) == 0 ? 0 : errno;
}

int file_server::list() {
  const auto root = open_root();
  if (!root) return errno;
  std::string left_out;
  packed_ = 0, answered_ = clock::now();
  const int problem = list_directory(
      root.get(), call_.path, [this](local_entry&& e) { pack(e); }, &left_out, [this](const char* n) { show(n); });
  call_.length = static_cast<std::uint32_t>(packed_);
  call_.more = false;
  file_call::put(call_.other, left_out);
  return problem;
}

void file_server::show(const char* name) const {
  if (place_ != nullptr) std::memcpy(place_, name, std::min(std::strlen(name) + 1, file_process::place_size));
}

// Hands over what there is where there is no room for more, or nothing was heard of it for a while.
void file_server::pack(const local_entry& e) {
  const std::size_t size = sizeof(packed_entry) + e.name.size() + e.target.size();
  if (packed_ + size > file_call::most_data || (packed_ > 0 && clock::now() - answered_ > longest_silence)) {
    call_.length = static_cast<std::uint32_t>(packed_);
    call_.more = true;
    if (!answer() || !is_asked() || call_.wanted != what::list_on) ::_exit(0);  // nobody wants the rest
    packed_ = 0, answered_ = clock::now();
  }
  const packed_entry head{e.attributes, static_cast<std::uint32_t>(e.name.size()),
                          static_cast<std::uint32_t>(e.target.size())};
  std::byte* at = call_.data + packed_;
  std::memcpy(at, &head, sizeof head);
  std::memcpy(at + sizeof head, e.name.data(), e.name.size());
  std::memcpy(at + sizeof head + e.name.size(), e.target.data(), e.target.size());
  packed_ += size;
}

int file_server::open(int flags) {
  const auto root = open_root();
  if (!root) return errno;
  file_ = open_beneath(root.get(), call_.path, flags | O_NOFOLLOW | O_NONBLOCK, (flags & O_CREAT) != 0 ? 0600 : 0);
  unsynced_ = 0;
  return file_ && ::fstat(file_.get(), &call_.shown) == 0 ? 0 : errno;
}

int file_server::read() {
  std::size_t have = 0;
  while (have < call_.length) {
    const ssize_t n =
        ::pread(file_.get(), call_.data + have, call_.length - have, static_cast<off_t>(call_.offset + have));
    if (n < 0) return errno;
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (have < call_.length && ::fstat(file_.get(), &call_.shown) != 0) return errno;
  call_.length = static_cast<std::uint32_t>(have);
  return 0;
}

int file_server::write() {
  for (std::size_t done = 0; done < call_.length;) {
    const ssize_t n =
        ::pwrite(file_.get(), call_.data + done, call_.length - done, static_cast<off_t>(call_.offset + done));
    if (n < 0) return errno;
    done += static_cast<std::size_t>(n);
  }
  unsynced_ += call_.length;
  if (unsynced_ < most_unsynced) return 0;
  unsynced_ = 0;
  return ::fdatasync(file_.get()) == 0 ? 0 : errno;
}

// What the source refuses of the mode and the time shows in what the file then has.
int file_server::finish() {
  const timespec when{call_.mtime, 0}, times[2] = {when, when};
  [[maybe_unused]] const bool set =
      ::fchmod(file_.get(), call_.mode & 07777) == 0 && ::futimens(file_.get(), times) == 0;
  return ::fsync(file_.get()) == 0 ? 0 : errno;
}

int file_server::close() {
  const int problem = ::fstat(file_.get(), &call_.shown) == 0 ? 0 : errno;
  file_.reset();
  return problem;
}

int file_server::change() {
  const auto root = open_root();
  if (!root) return errno;
  const auto [directory, name] = open_parent(root.get(), call_.path);
  if (!directory) return errno;
  if (const int problem = change_in(root.get(), directory.get(), name)) return problem;
  local_entry now{};
  look_at(directory.get(), name, now);
  call_.shown = now.attributes;
  return 0;
}

int file_server::change_in(int root, int directory, const std::string& name) {
  const auto result = [](int returned) { return returned == 0 ? 0 : errno; };
  switch (call_.wanted) {
    case what::make_directory:
      if (::mkdirat(directory, name.c_str(), 0700) != 0) return errno;
      return result(::fchmodat(directory, name.c_str(), call_.mode & 07777, 0));
    case what::make_link:
      return result(::symlinkat(call_.other, directory, name.c_str()));
    case what::remove:
      return result(::unlinkat(directory, name.c_str(), 0));
    default:
      break;
  }
  const auto [source, old_name] = open_parent(root, call_.other);
  if (!source) return errno;
  if (!call_.replace) return rename_no_replace(source.get(), old_name, directory, name, no_links::fail);
  return result(::renameat(source.get(), old_name.c_str(), directory, name.c_str()));
}

}  // namespace

void serve_files(const std::string& root, int line, int place) { file_server{root, line, place}.run(); }

}  // namespace ferryfs::remote
