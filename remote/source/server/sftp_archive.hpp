// An old server's archive over SFTP: up to `sessions` connections that share one queue.
#pragma once

#include <memory>
#include <optional>

#include "remote/source/archive.hpp"
#include "remote/source/digest/source_digests.hpp"
#include "remote/source/server/connection_pool.hpp"
#include "remote/source/server/reachability.hpp"
#include "remote/source/server/root_cache.hpp"
#include "remote/source/sftp/change_task.hpp"
#include "remote/source/sftp/peers.hpp"
#include "remote/source/sftp/queue.hpp"
#include "remote/source/ssh/target.hpp"

namespace ferryfs::remote::sftp {

class sftp_archive final : public archive {
 public:
  // Starts the threads, and waits until the first of them is connected or has failed. Then state() says why, and they
  // go on trying.
  sftp_archive(ssh::target t, std::size_t sessions);
  ~sftp_archive() override { stop(); }

  void list(const std::string& path, std::shared_ptr<listing> to) override;
  void stat(const std::string& path, stat_task::callback done) override;
  void read(std::shared_ptr<reading> to, priority where) override;
  void digest(const std::string& path, digest_callback done) override;
  void promote(const std::shared_ptr<reading>& file) override;
  void write(std::shared_ptr<writing> from) override;
  void make_directory(const std::string& path, std::uint32_t mode, change_callback done) override;
  void make_link(const std::string& path, const std::string& target, change_callback done) override;
  void rename(const std::string& from, const std::string& to, bool replace, change_callback done) override;
  void remove(const std::string& path, change_callback done) override;
  bool can_replace() const override { return pool_.can_replace(); }
  health state() const override { return reachability_.state(); }
  void set_listener(std::function<void(const health&)> on_change) override {
    reachability_.set_listener(std::move(on_change));
  }
  void stop() override;
  std::size_t max_in_flight() const override;
  // As the last look at the root showed it, where the server offers statvfs@openssh.com.
  std::optional<std::uint64_t> file_system() const override { return root_.file_system(); }

  // The root, where it was seen within the last second; nothing is requested.
  std::optional<attributes> root_just_seen() const { return root_.recent(); }

 private:
  void put(std::shared_ptr<task> t, queue::priority_class where);
  void stat_root(stat_task::callback done);
  void change_names(change c, change_callback done);

  const ssh::target target_;
  queue queue_;
  peers peers_;
  reachability reachability_{queue_, peers_};
  root_cache root_;
  connection_pool pool_;
  source_digests digests_;
};

}  // namespace ferryfs::remote::sftp
