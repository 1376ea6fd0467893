#include "remote/source/local/directory_archive.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <iterator>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/digest/read_back.hpp"
#include "remote/source/refused_kind.hpp"

namespace ferryfs::remote {
namespace {

using what = file_call::what;

const failure ending_now{cause::cancelled, "ferryfs is ending"};

// What a list has handed over, as far as it is of a kind that is brought over; the rest is refused.
std::vector<found> names_in(const file_call& call, listing& to) {
  std::vector<found> names;
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
    : root_path_(std::move(path)), deadline_(deadline), stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_event_) throw failure{cause::unreachable, fmt::format("{}: too many open files", printable(root_path_))};
  if (!answers) {
    late_ = 1;
    last_ = file_calls{root_path_, deadline_, stop_event_.get(), {}}.silent("");
  }
  for (const bool background_too : {true, true, false})
    threads_.emplace_back([this, background_too, begins_late = !answers && !background_too](
                              const std::stop_token& stop) { work(stop, background_too, !begins_late); });
  threads_.emplace_back([this](const std::stop_token& stop) { attend(stop); });
  if (!answers) return;
  try {
    look_at_root();
  } catch (...) {  // the destructor of what is not made does not run
    stop();
    throw;
  }
}

void directory_archive::look_at_root() {
  const auto answer = std::make_shared<std::promise<std::optional<failure>>>();
  put({nullptr,
       [answer](const auto& refused, file_calls* files) {
         auto why = refused ? refused : files->make(what::look, "");
         if (!refused && why && files->is_root_away()) why = files->failed("", files->answer().problem);
         answer->set_value(why);
       }},
      lane::demand);
  const auto why = answer->get_future().get();
  if (why && why->why != cause::timeout) throw failure{*why};
}

std::optional<std::uint64_t> directory_archive::file_system() const {
  const std::lock_guard lock{mutex_};
  return file_system_;
}

void directory_archive::stop() {
  stopping_ = true;
  ::eventfd_write(stop_event_.get(), 1);
  for (auto& t : threads_) t.request_stop();
  for (auto& t : threads_)
    if (t.joinable()) t.join();
  std::deque<job> left;
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    left = std::exchange(demand_, {});
    std::move(background_.begin(), background_.end(), std::back_inserter(left));
    background_.clear();
  }
  for (const auto& j : left) contain("end of a request", [&] { j.run(ending_now, nullptr); });
}

archive::health directory_archive::state() const {
  const std::lock_guard lock{mutex_};
  return late_ == 0 ? health{} : health{false, last_.text};
}

void directory_archive::observe(std::function<void(const health&)> told) {
  const std::lock_guard lock{mutex_};
  observer_.swap(told);  // what it was before ends with no lock held
  known_reachable_ = late_ == 0;
}

void directory_archive::list(const std::string& path, std::shared_ptr<listing> to) {
  put({nullptr,
       [path, to = std::move(to)](const auto& refused, file_calls* files) {
         if (refused) return to->finished(refused);
         std::optional<failure> why;
         if (const auto thrown = contain("a listing", [&] { why = list_now(*files, path, *to); }))
           why = failure_of(thrown, printable(path));
         to->finished(why);
       }},
      lane::demand);
}

std::optional<failure> directory_archive::list_now(file_calls& files, const std::string& path, listing& to) {
  for (auto wanted = what::list;; wanted = what::list_on) {
    const auto why = files.make(wanted, path);
    if (why && (why->of_connection() || files.answer().no_root)) return why;
    auto names = names_in(files.answer(), to);
    const bool more = files.answer().more;
    const std::string left_out = files.answer().other;
    if (!names.empty()) to.batch(std::move(names));
    if (more) continue;
    return why && !left_out.empty() ? files.failed(join(path, left_out), files.answer().problem) : why;
  }
}

void directory_archive::stat(const std::string& path,
                             std::function<void(const std::optional<failure>&, const attributes&)> done) {
  put({nullptr,
       [this, path, done = std::move(done)](const auto& refused, file_calls* files) {
         if (refused) return done(refused, {});
         const auto why = files->make(what::look, path);
         if (path.empty()) {
           const std::lock_guard lock{mutex_};
           file_system_ = why ? std::nullopt : std::optional{files->answer().file_system};
         }
         why ? done(why, {}) : done(std::nullopt, attributes_of(files->answer().shown));
       }},
      lane::demand);
}

void directory_archive::read(std::shared_ptr<reading> to, lane where) {
  put({to,
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
    if (stopping_) return {ending_now, {}};
    const auto next = to.want(file_call::most_data);
    if (next.what == reading::wish::enough) break;
    if (next.what == reading::wish::later) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
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

void directory_archive::digest(const std::string& path, digested done) {
  digest_by_reading(*this, path, std::move(done));
}

void directory_archive::raise(const std::shared_ptr<reading>& which) {
  const std::lock_guard lock{mutex_};
  const auto at = std::find_if(background_.begin(), background_.end(), [&](const job& j) { return j.file == which; });
  if (at == background_.end()) return;
  demand_.push_front(std::move(*at));
  background_.erase(at);
  wake_.notify_all();
}

void directory_archive::put(job j, lane where) {
  {
    std::unique_lock lock{mutex_};
    if (stopped_) {
      lock.unlock();
      return j.run(ending_now, nullptr);
    }
    (where == lane::demand ? demand_ : background_).push_back(std::move(j));
  }
  wake_.notify_all();
}

void directory_archive::late(const failure& why) {
  {
    const std::lock_guard lock{mutex_};
    ++late_;
    last_ = why;
    last_.suspect = false;  // of what is asked for next
  }
  wake_.notify_all();
}

void directory_archive::still_late(const failure& why) {
  const std::lock_guard lock{mutex_};
  last_ = why;
  last_.suspect = false;  // of what is asked for next
}

void directory_archive::work(const std::stop_token& stop, bool background_too, bool answers) {
  file_calls files{root_path_, deadline_, stop_event_.get(), [this](const failure& why) { late(why); },
                   [this](const failure& why) { still_late(why); }};
  if (!answers) {
    files.begin_late();
    wait_until_answered(files);
  }
  serve(stop, files, background_too);
}

void directory_archive::serve(const std::stop_token& stop, file_calls& files, bool background_too) {
  const auto has_work = [&] { return late_ == 0 && (!demand_.empty() || (background_too && !background_.empty())); };
  std::unique_lock lock{mutex_};
  while (wake_.wait(lock, stop, has_work)) {
    if (stop.stop_requested()) return;
    auto& line = demand_.empty() ? background_ : demand_;
    std::optional<job> next{std::move(line.front())};
    line.pop_front();
    lock.unlock();
    contain("end of a request", [&] { next->run(std::nullopt, &files); });
    next.reset();  // whatever ends with it ends now, and with no lock held
    files.settle();
    if (files.is_late()) wait_until_answered(files);
    lock.lock();
  }
}

void directory_archive::wait_until_answered(file_calls& files) {
  if (!files.wait_until_answered()) return;
  {
    const std::lock_guard lock{mutex_};
    --late_;
  }
  wake_.notify_all();
}

// Says whether the source answers, and, while it does not, refuses what is asked for: the threads that would ask may
// all be waiting.
void directory_archive::attend(const std::stop_token& stop) {
  const auto is_needed = [&] {
    return known_reachable_ != (late_ == 0) || (late_ > 0 && !(demand_.empty() && background_.empty()));
  };
  std::unique_lock lock{mutex_};
  while (wake_.wait(lock, stop, is_needed)) {
    if (stop.stop_requested()) return;
    const failure why = last_;
    auto left = late_ > 0 ? std::exchange(demand_, {}) : std::deque<job>{};
    auto left_behind = late_ > 0 ? std::exchange(background_, {}) : std::deque<job>{};
    const bool reachable = late_ == 0;
    auto told = std::exchange(known_reachable_, reachable) != reachable ? observer_ : nullptr;
    lock.unlock();
    for (auto* jobs : {&left, &left_behind}) {
      for (const auto& j : *jobs) contain("end of a request", [&] { j.run(why, nullptr); });
      jobs->clear();  // whatever ends with them ends with no lock held
    }
    if (told) contain("news of the source", [&] { told(reachable ? health{} : health{false, why.text}); });
    told = nullptr;
    lock.lock();
  }
}

}  // namespace ferryfs::remote
