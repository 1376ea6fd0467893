// An archive in a directory of this machine: the source that needs no network.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "remote/archive.hpp"
#include "remote/unique_fd.hpp"

namespace ferryfs::remote {

class directory_archive final : public archive {
 public:
  // Throws failure (not_found, permission) if `path` is no readable directory.
  explicit directory_archive(std::string path);
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
  health state() const override { return {}; }
  void observe(std::function<void(const health&)>) override {}
  void stop() override;
  std::size_t depth() const override { return 256; }
  std::optional<std::uint64_t> file_system() const override;

 private:
  struct job {
    std::shared_ptr<reading> file;                                   // of a read, to be found again by `raise`
    std::function<void(const std::optional<failure>& refused)> run;  // with why it must not, where it must not
  };
  void put(job j, lane where);
  void work(const std::stop_token& stop, bool background_too);
  // How a file that was read or written has ended.
  struct ending {
    std::optional<failure> why;
    attributes after;
  };
  std::optional<failure> list_now(const std::string& path, listing& to) const;
  ending read_now(reading& to) const;
  ending write_now(writing& from) const;
  void change(const std::string& path, changed done, std::function<int(int directory, const std::string& name)> make);
  unique_fd open_root() const;
  failure away(int problem) const;
  failure failed(const std::string& path, int problem) const;

  std::string root_path_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<job> demand_, background_;
  bool stopped_ = false;
  std::atomic<bool> stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace ferryfs::remote
