#include "remote/source/local/directory_workers.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote {

directory_workers::directory_workers(std::string root_path, std::chrono::milliseconds deadline, bool answers)
    : root_path_(std::move(root_path)), deadline_(deadline), stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_event_) throw failure{cause::unreachable, fmt::format("{}: too many open files", printable(root_path_))};
  if (!answers) {
    overdue_ = 1;
    last_ = file_calls{root_path_, deadline_, stop_event_.get(), {}}.silent("");
  }
  for (const bool background_too : {true, true, false})
    threads_.emplace_back(
        "directory", [this, background_too, begins_overdue = !answers && !background_too](const std::stop_token& stop) {
          work(stop, background_too, !begins_overdue);
        });
  threads_.emplace_back("unanswered", [this](const std::stop_token& stop) { report(stop); });
}

void directory_workers::stop() {
  stopping_ = true;
  ::eventfd_write(stop_event_.get(), 1);
  for (auto& t : threads_) t.request_stop();
  for (auto& t : threads_)
    if (t.joinable()) t.join();
  std::deque<job> left;
  {
    const lock held{mutex_};
    stopped_ = true;
    left = std::exchange(demand_, {});
    std::move(background_.begin(), background_.end(), std::back_inserter(left));
    background_.clear();
  }
  for (const auto& j : left)
    contain("end of a request", [&] { j.run(failure{cause::cancelled, "ferryfs is ending"}, nullptr); });
}

archive::health directory_workers::state() const {
  const lock held{mutex_};
  return overdue_ == 0 ? archive::health{} : archive::health{false, last_.text};
}

void directory_workers::set_listener(std::function<void(const archive::health&)> on_change) {
  const lock held{mutex_};
  on_change_.swap(on_change);  // the destructor of the former listener runs with no lock held
  reported_reachable_ = overdue_ == 0;
}

void directory_workers::promote(const std::shared_ptr<reading>& file) {
  const lock held{mutex_};
  const auto at = std::find_if(background_.begin(), background_.end(), [&](const job& j) { return j.file == file; });
  if (at == background_.end()) return;
  demand_.push_front(std::move(*at));
  background_.erase(at);
  changed_.notify_all();
}

void directory_workers::put(job j, priority where) {
  {
    const lock held{mutex_};
    if (!stopped_) {
      (where == priority::demand ? demand_ : background_).push_back(std::move(j));
      changed_.notify_all();
      return;
    }
  }
  j.run(failure{cause::cancelled, "ferryfs is ending"}, nullptr);
}

void directory_workers::record_overdue(const failure& why) {
  const lock held{mutex_};
  ++overdue_;
  last_ = why;
  last_.suspect = false;  // of what is requested next
  changed_.notify_all();
}

void directory_workers::record_still_overdue(const failure& why) {
  const lock held{mutex_};
  last_ = why;
  last_.suspect = false;  // of what is requested next
}

void directory_workers::work(const std::stop_token& stop, bool background_too, bool answers) {
  file_calls files{root_path_, deadline_, stop_event_.get(), [this](const failure& why) { record_overdue(why); },
                   [this](const failure& why) { record_still_overdue(why); }};
  if (!answers) {
    files.begin_overdue();
    wait_until_answered(files);
  }
  run_jobs(stop, files, background_too);
}

bool directory_workers::has_job(bool background_too) const {
  return overdue_ == 0 && (!demand_.empty() || (background_too && !background_.empty()));
}

void directory_workers::run_jobs(const std::stop_token& stop, file_calls& files, bool background_too) {
  lock held{mutex_};
  while (changed_.wait(held, stop, [&]() REQUIRES(mutex_) { return has_job(background_too); })) {
    if (stop.stop_requested()) return;
    auto& jobs = demand_.empty() ? background_ : demand_;
    std::optional<job> next{std::move(jobs.front())};
    jobs.pop_front();
    held.unlock();
    contain("end of a request", [&] { next->run(std::nullopt, &files); });
    next.reset();  // what the job holds is destroyed with no lock held
    files.release();
    if (files.is_overdue()) wait_until_answered(files);
    held.relock();
  }
}

void directory_workers::wait_until_answered(file_calls& files) {
  if (!files.wait_until_answered()) return;
  const lock held{mutex_};
  --overdue_;
  changed_.notify_all();
}

bool directory_workers::has_report() const {
  return reported_reachable_ != (overdue_ == 0) || (overdue_ > 0 && !(demand_.empty() && background_.empty()));
}

void directory_workers::report(const std::stop_token& stop) {
  lock held{mutex_};
  while (changed_.wait(held, stop, [&]() REQUIRES(mutex_) { return has_report(); })) {
    if (stop.stop_requested()) return;
    const failure why = last_;
    const bool reachable = overdue_ == 0;
    auto refused = reachable ? std::deque<job>{} : std::exchange(demand_, {});
    auto refused_behind = reachable ? std::deque<job>{} : std::exchange(background_, {});
    auto on_change = std::exchange(reported_reachable_, reachable) != reachable ? on_change_ : nullptr;
    held.unlock();
    for (auto* jobs : {&refused, &refused_behind}) {
      for (const auto& j : *jobs) contain("end of a request", [&] { j.run(why, nullptr); });
      jobs->clear();  // what the jobs hold is destroyed with no lock held
    }
    if (on_change)
      contain("news of the source", [&] {
        on_change(reachable ? archive::health{} : archive::health{false, why.text});
      });
    on_change = nullptr;
    held.relock();
  }
}

}  // namespace ferryfs::remote
