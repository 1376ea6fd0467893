// An archive in a directory of this machine: the source that needs no network, unless it is mounted over one. Its files
// are asked for by processes of their own (file_process.hpp): where the directory does not answer, requests fail within
// the deadline, and at once from then on, until what was asked for is answered.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "remote/files/unique_fd.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/local/file_calls.hpp"

namespace ferryfs::remote {

class directory_archive final : public archive {
 public:
  // `path` is absolute. Throws failure (not_found, permission) if it is no readable directory; where it does not
  // answer, state() says so. `answers`: false where that is known already, and not to be waited for.
  explicit directory_archive(std::string path, std::chrono::milliseconds deadline = std::chrono::seconds(30),
                             bool answers = true);
  ~directory_archive() override { stop(); }

  void list(const std::string& path, std::shared_ptr<listing> to) override;
  void stat(const std::string& path,
            std::function<void(const std::optional<failure>&, const attributes&)> done) override;
  void read(std::shared_ptr<reading> to, lane where) override;
  void digest(const std::string& path, digested done) override;
  void raise(const std::shared_ptr<reading>& which) override;
  void write(std::shared_ptr<writing> from) override;
  void make_directory(const std::string& path, std::uint32_t mode, changed done) override;
  void make_link(const std::string& path, const std::string& target, changed done) override;
  void rename(const std::string& from, const std::string& to, bool replace, changed done) override;
  void remove(const std::string& path, changed done) override;
  bool can_replace() const override { return true; }
  health state() const override;
  void observe(std::function<void(const health&)> told) override;
  // Waits for nobody who does not answer.
  void stop() override;
  std::size_t depth() const override { return 256; }
  std::optional<std::uint64_t> file_system() const override;

 private:
  struct job {
    std::shared_ptr<reading> file;  // of a read, to be found again by `raise`
    // With why it must not, where it must not; then there are no calls.
    std::function<void(const std::optional<failure>& refused, file_calls* files)> run;
  };
  void put(job j, lane where);
  void work(const std::stop_token& stop, bool background_too, bool answers);
  void serve(const std::stop_token& stop, file_calls& files, bool background_too);
  void wait_until_answered(file_calls& files);
  void late(const failure& why);
  void still_late(const failure& why);
  void attend(const std::stop_token& stop);
  void look_at_root();
  // How a file that was read or written has ended.
  struct ending {
    std::optional<failure> why;
    attributes after;
  };
  static std::optional<failure> list_now(file_calls& files, const std::string& path, listing& to);
  ending read_now(file_calls& files, reading& to) const;
  ending write_now(file_calls& files, writing& from) const;
  void change(file_call::what wanted, const std::string& path, changed done, file_calls::preparation prepare = {},
              const std::string& other = "");

  const std::string root_path_;
  const std::chrono::milliseconds deadline_;
  const unique_fd stop_event_;  // readable once all calls are to end
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<job> demand_, background_;
  unsigned late_ = 0;  // threads that wait for an answer that is overdue; while there are any, nothing else is asked
  failure last_;       // why
  bool known_reachable_ = true;  // to the observer
  std::function<void(const health&)> observer_;
  std::optional<std::uint64_t> file_system_;  // as the last look at the root showed it
  bool stopped_ = false;
  std::atomic<bool> stopping_ = false;
  std::vector<std::jthread> threads_;
};

// What a file shows.
attributes attributes_of(const struct stat& st);

}  // namespace ferryfs::remote
