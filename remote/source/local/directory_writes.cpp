// The calls of a directory archive that change the source.
#include <chrono>
#include <thread>
#include <vector>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/thread.hpp"
#include "remote/source/local/directory_archive.hpp"

namespace ferryfs::remote {

using what = file_call::what;

void directory_archive::write(std::shared_ptr<writing> from) {
  workers_.put({nullptr,
                [this, from = std::move(from)](const auto& refused, file_calls* files) {
                  ending end{refused, {}};
                  if (!refused)
                    if (const auto thrown = contain("writing of a picture", [&] { end = write_now(*files, *from); }))
                      end = {failure_of(thrown, printable(from->path())), {}};
                  from->finished(end.why, end.after);
                }},
               priority::background);
}

directory_archive::ending directory_archive::write_now(file_calls& files, writing& from) const {
  const auto& path = from.path();
  if (const auto why = files.make(what::create, path)) return {why, {}};
  const std::uint64_t at = from.begin(static_cast<std::uint64_t>(files.answer().shown.st_size));
  if (const auto why = files.make(what::cut, path, [&](file_call& c) { c.offset = at; })) return {why, {}};
  std::vector<std::byte> bytes;
  while (true) {
    if (workers_.is_stopping()) return {failure{cause::cancelled, "ferryfs is ending"}, {}};
    bytes.clear();
    const auto next = from.next_bytes(file_call::most_data, bytes);
    if (next.what == next_step::done) break;
    if (next.what == next_step::throttled) {
      sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    const auto fill = [&](file_call& c) {
      c.offset = next.offset, c.length = static_cast<std::uint32_t>(bytes.size());
      std::copy(bytes.begin(), bytes.end(), c.data);
    };
    if (const auto why = files.make(what::write, path, fill)) return {why, {}};
  }
  const auto wanted = from.final_attributes();
  const auto set = [&](file_call& c) { c.mode = wanted.mode, c.mtime = wanted.mtime.value_or(0); };
  if (const auto why = files.make(what::finish, path, set)) return {why, {}};
  if (const auto why = files.make(what::close, path)) return {why, {}};
  return {std::nullopt, attributes_of(files.answer().shown)};
}

void directory_archive::change(what wanted, const std::string& path, change_callback done,
                               file_calls::preparation prepare, const std::string& other) {
  workers_.put({nullptr,
                [wanted, path, done = std::move(done), prepare = std::move(prepare), other](const auto& refused,
                                                                                            file_calls* files) {
                  const auto why = refused ? refused : files->make(wanted, path, prepare, other);
                  if (why) return done(why, {});
                  const auto& shown = files->answer().shown;
                  done(std::nullopt, shown.st_mode == 0 ? attributes{} : attributes_of(shown));
                }},
               priority::demand);
}

void directory_archive::make_directory(const std::string& path, std::uint32_t mode, change_callback done) {
  change(what::make_directory, path, std::move(done), [mode](file_call& c) { c.mode = mode; });
}

void directory_archive::make_link(const std::string& path, const std::string& target, change_callback done) {
  change(what::make_link, path, std::move(done), {}, target);
}

void directory_archive::rename(const std::string& from, const std::string& to, bool replace, change_callback done) {
  change(
      what::rename, to, std::move(done), [replace](file_call& c) { c.replace = replace; }, from);
}

void directory_archive::remove(const std::string& path, change_callback done) {
  change(what::remove, path, std::move(done));
}

}  // namespace ferryfs::remote
