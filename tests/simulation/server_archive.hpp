// The old server at the seam of remote/source/archive.hpp: its answers take their time, overtake each other, and fail
// with the network.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "remote/source/archive.hpp"
#include "tests/simulation/dice.hpp"
#include "tests/simulation/old_server.hpp"
#include "tests/simulation/trace.hpp"

namespace ferryfs::test {

// One process's. All times are the scheduler's.
class server_archive final : public remote::archive {
 public:
  server_archive(const old_server& server, std::uint64_t seed, trace& log);
  ~server_archive() override;

  // The network came or went: to be called after old_server::is_connected was set.
  void on_connection();

  void list(const std::string& path, std::shared_ptr<remote::listing> to) override;
  void stat(const std::string& path,
            std::function<void(const std::optional<remote::failure>&, const remote::attributes&)> done) override;
  void read(std::shared_ptr<remote::reading> to, remote::priority where) override;
  void digest(const std::string& path, digest_callback done) override;
  void promote(const std::shared_ptr<remote::reading>&) override {}
  // The way back is not simulated: the server takes nothing.
  void write(std::shared_ptr<remote::writing> from) override;
  void make_directory(const std::string& path, std::uint32_t mode, change_callback done) override;
  void make_link(const std::string& path, const std::string& target, change_callback done) override;
  void rename(const std::string& from, const std::string& to, bool replace, change_callback done) override;
  void remove(const std::string& path, change_callback done) override;
  bool can_replace() const override { return false; }
  std::optional<std::uint64_t> file_system() const override { return 7; }
  health state() const override;
  void set_listener(std::function<void(const health&)> on_change) override;
  void stop() override;
  std::size_t max_in_flight() const override { return 6; }

 private:
  struct open_listing;
  struct transfer;
  // Runs once, when it is due: with a failure where the request is to end with that.
  using step = std::function<void(const std::optional<remote::failure>&)>;
  void post(std::chrono::microseconds delay, step next);
  void post(step next);
  void run(const std::stop_token& stop);
  std::optional<remote::failure> trouble(bool may_fail);
  void go_on(const std::shared_ptr<open_listing>& l);
  void go_on(const std::shared_ptr<transfer>& t);
  void answer_one(transfer& t);
  void refuse(change_callback done);

  const old_server& server_;
  trace& trace_;
  mutable mutex mutex_{lock_level::leaf};
  condition wake_;
  dice dice_;
  std::multimap<scheduler::steady_time, step> steps_;
  std::function<void(const health&)> listener_;
  health health_;
  bool stopped_ = false;
  thread one_, other_;
};

}  // namespace ferryfs::test
