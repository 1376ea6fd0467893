#include "remote/source/server/sftp_archive.hpp"

#include <algorithm>
#include <utility>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/digest/read_back.hpp"
#include "remote/source/sftp/list_task.hpp"
#include "remote/source/sftp/read_task.hpp"
#include "remote/source/sftp/write_task.hpp"

namespace ferryfs::remote::sftp {

sftp_archive::sftp_archive(ssh::target t, std::size_t sessions)
    : target_(std::move(t)),
      pool_({target_, queue_, peers_}, sessions, reachability_, root_),
      digests_(*this, target_, {[this] { pool_.lend_first(); }, [this] { pool_.take_back_first(); }}) {
  reachability_.wait_until_tried();
}

void sftp_archive::stop() {
  if (queue_.stopped()) return;
  queue_.stop();
  reachability_.stop();
  digests_.stop();
  pool_.notify_all();
  pool_.join();
  for (const auto& t : queue_.close()) fail_task(*t, {cause::cancelled, "ferryfs is ending"});
  reachability_.finish_events();
}

void sftp_archive::list(const std::string& path, std::shared_ptr<listing> to) {
  put(std::make_shared<list_task>(path, std::move(to)), queue::priority_class::listing);
}

void sftp_archive::stat(const std::string& path, stat_task::callback done) {
  if (path.empty()) return stat_root(std::move(done));
  put(std::make_shared<stat_task>(path, std::move(done)), queue::priority_class::look);
}

// Where a look or a greeting has just shown the root, no request is made: each is a round trip.
void sftp_archive::stat_root(stat_task::callback done) {
  if (const auto shown = root_.take_answer())
    return reachability_.post([done = std::move(done), shown = *shown] { done(std::nullopt, shown); });
  const auto on_look = [this, done = std::move(done)](const std::optional<failure>& why, const attributes& a) {
    if (!why) root_.update(a, 1);
    done(why, a);
  };
  const auto on_file_system = [this](std::optional<std::uint64_t> id) { root_.set_file_system(id); };
  put(std::make_shared<stat_task>("", on_look, on_file_system), queue::priority_class::look);
}

void sftp_archive::read(std::shared_ptr<reading> to, priority where) {
  put(std::make_shared<read_task>(std::move(to), where),
      where == priority::demand ? queue::priority_class::demand : queue::priority_class::background);
}

void sftp_archive::digest(const std::string& path, digest_callback done) {
  const std::string root = root_.path();
  if (root.empty() || pool_.size() == 1) return digest_by_reading(*this, path, std::move(done));
  digests_.request(path, join(root, path), std::move(done));
}

void sftp_archive::promote(const std::shared_ptr<reading>& which) {
  queue_.promote(which);
  pool_.notify_all();
}

void sftp_archive::write(std::shared_ptr<writing> from) {
  put(std::make_shared<write_task>(std::move(from)), queue::priority_class::background);
}

void sftp_archive::make_directory(const std::string& path, std::uint32_t mode, change_callback done) {
  change_names({change::what::directory, path, {}, mode}, std::move(done));
}

void sftp_archive::make_link(const std::string& path, const std::string& target, change_callback done) {
  change_names({change::what::link, path, target}, std::move(done));
}

void sftp_archive::rename(const std::string& from, const std::string& to, bool replace, change_callback done) {
  change_names({replace ? change::what::replacement : change::what::name, to, from}, std::move(done));
}

void sftp_archive::remove(const std::string& path, change_callback done) {
  change_names({change::what::removal, path, {}}, std::move(done));
}

void sftp_archive::change_names(change c, change_callback done) {
  put(std::make_shared<change_task>(std::move(c), std::move(done)), queue::priority_class::background);
}

void sftp_archive::put(std::shared_ptr<task> t, queue::priority_class where) {
  if (queue_.put(t, where)) return pool_.notify(where);
  const failure why = reachability_.last_failure();
  if (queue_.stopped()) return t->lost(why);
  reachability_.post([t = std::move(t), why] { t->lost(why); });
}

std::size_t sftp_archive::max_in_flight() const { return most_files * std::max<std::size_t>(pool_.size() - 1, 1); }

}  // namespace ferryfs::remote::sftp
