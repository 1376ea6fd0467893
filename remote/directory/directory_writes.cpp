// The directory archive's part that changes it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "index/exception_barrier.hpp"
#include "index/path.hpp"
#include "remote/beneath.hpp"
#include "remote/directory/directory_archive.hpp"
#include "remote/directory/listing.hpp"
#include "remote/directory/rename.hpp"

namespace ferryfs::remote {
namespace {

attributes attributes_of(const struct stat& st) {
  return {st.st_mode, static_cast<std::uint64_t>(st.st_size), st.st_mtim.tv_sec};
}

bool write_whole(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

}  // namespace

void directory_archive::write(std::shared_ptr<writing> from) {
  put({nullptr,
       [this, from = std::move(from)](const auto& refused) {
         ending end{refused, {}};
         if (!refused)
           if (const auto thrown = contain("writing of a picture", [&] { end = write_now(*from); }))
             end = {failure_of(thrown, printable(from->path())), {}};
         from->finished(end.why, end.after);
       }},
      lane::background);
}

directory_archive::ending directory_archive::write_now(writing& from) const {
  const auto fail = [&] { return ending{failed(from.path(), errno), {}}; };
  const auto root = open_root();
  if (!root) return {away(errno), {}};
  const unique_fd fd = open_beneath(root.get(), from.path(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
  struct stat st {};
  if (!fd || ::fstat(fd.get(), &st) != 0) return fail();
  const std::uint64_t at = from.begin(static_cast<std::uint64_t>(st.st_size));
  if (::ftruncate(fd.get(), static_cast<off_t>(at)) != 0) return fail();
  std::vector<std::byte> bytes;
  constexpr std::uint32_t step = 1U << 20;
  while (true) {
    if (stopping_) return {failure{cause::cancelled, "ferryfs is ending"}, {}};
    bytes.clear();
    const auto next = from.give(step, bytes);
    if (next.what == reading::wish::enough) break;
    if (next.what == reading::wish::later)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    else if (!write_whole(fd.get(), bytes, next.offset))
      return fail();
  }
  const auto wanted = from.wanted();
  const timespec when{wanted.mtime.value_or(0), 0}, times[2] = {when, when};
  // What the source refuses of these shows in what the file then has.
  [[maybe_unused]] const bool set = ::fchmod(fd.get(), wanted.mode & 07777) == 0 && ::futimens(fd.get(), times) == 0;
  if (::fsync(fd.get()) != 0 || ::fstat(fd.get(), &st) != 0) return fail();
  return {std::nullopt, attributes_of(st)};
}

// `make` returns an errno, or 0.
void directory_archive::change(const std::string& path, changed done,
                               std::function<int(int directory, const std::string& name)> make) {
  put({nullptr,
       [this, path, done = std::move(done), make = std::move(make)](const auto& refused) {
         if (refused) return done(refused, {});
         const auto root = open_root();
         if (!root) return done(away(errno), {});
         const auto [directory, name] = open_parent(root.get(), path);
         const int problem = directory ? make(directory.get(), name) : errno;
         if (problem != 0) return done(failed(path, problem), {});
         local_entry now;
         done(std::nullopt, look_at(directory.get(), name, now) ? attributes_of(now.attributes) : attributes{});
       }},
      lane::demand);
}

void directory_archive::make_directory(const std::string& path, std::uint32_t mode, changed done) {
  change(path, std::move(done), [mode](int directory, const std::string& name) {
    if (::mkdirat(directory, name.c_str(), 0700) != 0) return errno;
    return ::fchmodat(directory, name.c_str(), mode & 07777, 0) == 0 ? 0 : errno;
  });
}

void directory_archive::make_link(const std::string& path, const std::string& target, changed done) {
  change(path, std::move(done), [target](int directory, const std::string& name) {
    return ::symlinkat(target.c_str(), directory, name.c_str()) == 0 ? 0 : errno;
  });
}

void directory_archive::rename(const std::string& from, const std::string& to, bool replace, changed done) {
  change(to, std::move(done), [this, from, replace](int directory, const std::string& name) {
    const auto root = open_root();
    if (!root) return EIO;
    const auto [source, old_name] = open_parent(root.get(), from);
    if (!source) return errno;
    if (!replace) return rename_no_replace(source.get(), old_name, directory, name, no_links::fail);
    return ::renameat(source.get(), old_name.c_str(), directory, name.c_str()) == 0 ? 0 : errno;
  });
}

void directory_archive::remove(const std::string& path, changed done) {
  change(path, std::move(done), [](int directory, const std::string& name) {
    return ::unlinkat(directory, name.c_str(), 0) == 0 ? 0 : errno;
  });
}

}  // namespace ferryfs::remote
