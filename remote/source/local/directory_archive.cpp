#include "remote/source/local/directory_archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/promise.hpp"
#include "index/base/thread.hpp"
#include "remote/source/digest/read_back.hpp"
#include "remote/source/refused_kind.hpp"

namespace ferryfs::remote {
namespace {

using what = file_call::what;

// The names that a list call has handed over, as far as they are of a kind that is copied; the rest is refused.
std::vector<directory_entry> names_in(const file_call& call, listing& to) {
  std::vector<directory_entry> names;
  for (std::size_t at = 0; at + sizeof(packed_entry) <= std::min(call.length, file_call::most_data);) {
    packed_entry head;
    std::memcpy(&head, call.data + at, sizeof head);
    const auto* const text = reinterpret_cast<const char*>(call.data + at + sizeof head);
    at += sizeof head + head.name + head.target;
    if (is_refused_kind(head.attributes.st_mode))
      to.refused({text, head.name}, why_refused(head.attributes.st_mode));
    else
      names.push_back({{text, head.name}, attributes_of(head.attributes), {text + head.name, head.target}});
  }
  return names;
}

}  // namespace

attributes attributes_of(const struct stat& st) {
  return {st.st_mode, std::min(static_cast<std::uint64_t>(st.st_size), largest_size), st.st_mtim.tv_sec};
}

directory_archive::directory_archive(std::string path, std::chrono::milliseconds deadline, bool answers)
    : workers_(std::move(path), deadline, answers) {
  if (answers) look_at_root();
}

void directory_archive::look_at_root() {
  const auto answer = std::make_shared<promise<std::optional<failure>>>();
  workers_.put({nullptr,
                [answer](const auto& refused, file_calls* files) {
                  auto why = refused;
                  const auto thrown = contain("a look at the root", [&] {
                    if (!refused) why = files->make(what::look, "");
                    if (!refused && why && files->is_root_away()) why = files->failed("", files->answer().problem);
                  });
                  thrown ? answer->set_exception(thrown) : answer->set_value(why);
                }},
               priority::demand);
  const auto why = answer->get();
  if (why && why->why != cause::timeout) throw failure{*why};
}

std::optional<std::uint64_t> directory_archive::file_system() const {
  const std::uint64_t id = file_system_;
  return id != 0 ? std::optional{id} : std::nullopt;
}

void directory_archive::list(const std::string& path, std::shared_ptr<listing> to) {
  workers_.put({nullptr,
                [path, to = std::move(to)](const auto& refused, file_calls* files) {
                  if (refused) return to->finished(refused);
                  std::optional<failure> why;
                  if (const auto thrown = contain("a listing", [&] { why = list_now(*files, path, *to); }))
                    why = failure_of(thrown, printable(path));
                  to->finished(why);
                }},
               priority::demand);
}

std::optional<failure> directory_archive::list_now(file_calls& files, const std::string& path, listing& to) {
  for (auto wanted = what::list;; wanted = what::list_on) {
    const auto why = files.make(wanted, path);
    if (why && (why->of_connection() || files.answer().no_root)) return why;
    auto names = names_in(files.answer(), to);
    const bool more = files.answer().more;
    const std::string unreadable = files.answer().other;
    if (!names.empty()) to.batch(std::move(names));
    if (more) continue;
    return why && !unreadable.empty() ? files.failed(join(path, unreadable), files.answer().problem) : why;
  }
}

void directory_archive::stat(const std::string& path,
                             std::function<void(const std::optional<failure>&, const attributes&)> done) {
  workers_.put({nullptr,
                [this, path, done = std::move(done)](const auto& refused, file_calls* files) {
                  if (refused) return done(refused, {});
                  const auto why = files->make(what::look, path);
                  if (path.empty()) file_system_ = why ? 0 : files->answer().file_system;
                  why ? done(why, {}) : done(std::nullopt, attributes_of(files->answer().shown));
                }},
               priority::demand);
}

void directory_archive::read(std::shared_ptr<reading> to, priority where) {
  workers_.put({to,
                [this, to](const auto& refused, file_calls* files) {
                  ending end{refused, {}};
                  if (!refused)
                    if (const auto thrown = contain("reading of a picture", [&] { end = read_now(*files, *to); }))
                      end = {failure_of(thrown, printable(to->path())), {}};
                  to->finished(end.why, end.after);
                }},
               where);
}

directory_archive::ending directory_archive::read_now(file_calls& files, reading& to) const {
  if (const auto why = files.make(what::open, to.path())) return {why, {}};
  while (true) {
    if (workers_.is_stopping()) return {failure{cause::cancelled, "ferryfs is ending"}, {}};
    const auto next = to.next_range(file_call::most_data);
    if (next.what == next_step::done) break;
    if (next.what == next_step::throttled) {
      sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    const auto [offset, length, beyond] = next.part;
    if (const auto why = files.make(what::read, to.path(), [from = offset, most = length](file_call& c) {
          c.offset = from, c.length = std::min(most, file_call::most_data);
        }))
      return {why, {}};
    const auto& got = files.answer();
    const bool whole = got.length == length || (beyond && got.length + 1 == length);
    if (!whole && !to.ends(offset + got.length))
      return {failure{cause::changed, printable(to.path()) + ": became shorter on the source"},
              attributes_of(got.shown)};
    if (got.length > 0) to.arrived(offset, std::span(got.data).first(got.length));
  }
  if (const auto why = files.make(what::close, to.path())) return {why, {}};
  return {std::nullopt, attributes_of(files.answer().shown)};
}

void directory_archive::digest(const std::string& path, digest_callback done) {
  digest_by_reading(*this, path, std::move(done));
}

void directory_archive::promote(const std::shared_ptr<reading>& which) { workers_.promote(which); }

}  // namespace ferryfs::remote
