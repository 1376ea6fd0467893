// An archive in a directory of this machine: the source that needs no network, unless it is mounted over one. Its files
// are read by processes of their own (file_process.hpp): where the directory does not answer, requests fail within the
// deadline, and at once from then on, until the overdue answer has come.
#pragma once

#include <atomic>
#include <chrono>

#include "remote/source/archive.hpp"
#include "remote/source/local/directory_workers.hpp"

namespace ferryfs::remote {

class directory_archive final : public archive {
 public:
  // `path` is absolute. Throws failure (not_found, permission) if it is no readable directory; where it does not
  // answer, state() says so. `answers`: false where that is known already; then no answer is awaited.
  explicit directory_archive(std::string path, std::chrono::milliseconds deadline = std::chrono::seconds(30),
                             bool answers = true);

  void list(const std::string& path, std::shared_ptr<listing> to) override;
  void stat(const std::string& path,
            std::function<void(const std::optional<failure>&, const attributes&)> done) override;
  void read(std::shared_ptr<reading> to, priority where) override;
  void digest(const std::string& path, digest_callback done) override;
  void promote(const std::shared_ptr<reading>& file) override;
  void write(std::shared_ptr<writing> from) override;
  void make_directory(const std::string& path, std::uint32_t mode, change_callback done) override;
  void make_link(const std::string& path, const std::string& target, change_callback done) override;
  void rename(const std::string& from, const std::string& to, bool replace, change_callback done) override;
  void remove(const std::string& path, change_callback done) override;
  bool can_replace() const override { return true; }
  health state() const override { return workers_.state(); }
  void set_listener(std::function<void(const health&)> on_change) override {
    workers_.set_listener(std::move(on_change));
  }
  // Waits for no answer.
  void stop() override { workers_.stop(); }
  std::size_t max_in_flight() const override { return 256; }
  std::optional<std::uint64_t> file_system() const override;

 private:
  void look_at_root();
  // How a file that was read or written has ended.
  struct ending {
    std::optional<failure> why;
    attributes after;
  };
  static std::optional<failure> list_now(file_calls& files, const std::string& path, listing& to);
  ending read_now(file_calls& files, reading& to) const;
  ending write_now(file_calls& files, writing& from) const;
  void change(file_call::what wanted, const std::string& path, change_callback done,
              file_calls::preparation prepare = {}, const std::string& other = "");

  std::atomic<std::uint64_t> file_system_ = 0;  // under the root, as the last look at it showed; 0: not known
  directory_workers workers_;
};

// A file's attributes as an archive gives them.
attributes attributes_of(const struct stat& st);

}  // namespace ferryfs::remote
