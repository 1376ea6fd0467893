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

#include "index/base/clock.hpp"
#include "index/base/path.hpp"
#include "remote/files/beneath.hpp"
#include "remote/files/list_directory.hpp"
#include "remote/files/unique_fd.hpp"
#include "remote/source/local/file_call.hpp"
#include "remote/source/local/file_process.hpp"
#include "remote/source/local/name_change.hpp"
#include "remote/source/local/served_file.hpp"

namespace ferryfs::remote {
namespace {

using clock = std::chrono::steady_clock;
using what = file_call::what;

constexpr std::chrono::seconds longest_silence{1};  // while a directory is listed

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
  template <typename Call>
  int in_root(Call call);
  unique_fd open_root();

  const std::string root_path_;
  const int line_;
  char* place_ = nullptr;  // what the process that asks can see
  file_call call_{};
  served_file file_;
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

template <typename Call>
int file_server::in_root(Call call) {
  const auto root = open_root();
  return root ? call(root.get()) : errno;
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
      return in_root([&](int root) { return file_.open(root, O_RDONLY, call_); });
    case what::read:
      return file_.read(call_);
    case what::create:
      return in_root([&](int root) { return file_.open(root, O_WRONLY | O_CREAT, call_); });
    case what::cut:
      return file_.truncate(call_);
    case what::write:
      return file_.write(call_);
    case what::finish:
      return file_.finish(call_);
    case what::close:
      return file_.close(call_);
    default:
      return in_root([&](int root) { return change_name(root, call_); });
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
  std::string unreadable;
  packed_ = 0, answered_ = steady_now();
  const int problem = list_directory(
      root.get(), call_.path, [this](local_entry&& e) { pack(e); }, &unreadable, [this](const char* n) { show(n); });
  call_.length = static_cast<std::uint32_t>(packed_);
  call_.more = false;
  file_call::put(call_.other, unreadable);
  return problem;
}

void file_server::show(const char* name) const {
  if (place_ != nullptr) std::memcpy(place_, name, std::min(std::strlen(name) + 1, file_process::place_size));
}

// Hands over the entries so far where there is no room for more, or the last were handed over a while ago.
void file_server::pack(const local_entry& e) {
  const std::size_t size = sizeof(packed_entry) + e.name.size() + e.target.size();
  if (packed_ + size > file_call::most_data || (packed_ > 0 && steady_now() - answered_ > longest_silence)) {
    call_.length = static_cast<std::uint32_t>(packed_);
    call_.more = true;
    if (!answer() || !is_asked() || call_.wanted != what::list_on) ::_exit(0);  // the rest is not asked for
    packed_ = 0, answered_ = steady_now();
  }
  const packed_entry head{e.attributes, static_cast<std::uint32_t>(e.name.size()),
                          static_cast<std::uint32_t>(e.target.size())};
  std::byte* at = call_.data + packed_;
  std::memcpy(at, &head, sizeof head);
  std::memcpy(at + sizeof head, e.name.data(), e.name.size());
  std::memcpy(at + sizeof head + e.name.size(), e.target.data(), e.target.size());
  packed_ += size;
}

}  // namespace

void serve_files(const std::string& root, int line, int place) { file_server{root, line, place}.run(); }

}  // namespace ferryfs::remote
