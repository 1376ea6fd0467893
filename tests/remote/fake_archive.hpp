// The source as a double: a tree in memory, whose reads a test answers by hand, piece by piece, when it likes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "remote/source/archive.hpp"

namespace ferryfs::test {

inline constexpr std::int64_t long_ago = 1'373'868'600;  // 2013-07-15, at rest for long

// Threads: any. Requests are answered on its own thread, and by what a test calls on the test's.
class fake_archive final : public remote::archive {
 public:
  explicit fake_archive(std::size_t depth = 8);
  ~fake_archive() override { stop(); }

  // The tree. Putting a name makes the directories above it and touches the one that it stands in.
  void put_file(const std::string& path, std::string content, std::int64_t mtime = long_ago, unsigned mode = 0644);
  void put_directory(const std::string& path, std::int64_t mtime = long_ago, unsigned mode = 0755);
  void put_link(const std::string& path, std::string target);
  void remove(const std::string& path);
  // As a server that gives a directory another mtime than its content deserves.
  void set_mtime(const std::string& path, std::int64_t mtime);
  remote::attributes look(const std::string& path) const;

  // Requests for a path fail until it is mended; a directory's listing after that many names.
  void fail(const std::string& path, remote::cause why, std::size_t after_names = 0);
  // As a server that can't look at it: it leaves the name out of its listing, and says why when asked.
  void deny(const std::string& path, remote::cause why = remote::cause::permission);
  // A request for it throws, and is not taken.
  void throw_at(const std::string& path);
  void mend(const std::string& path);
  void set_reachable(bool reachable);
  // The sizes that it shows: none at all, or 0 but in listings, or for this path another one.
  enum class sizes { right, unknown, zero_but_listed, zero };
  void tell_sizes(sizes how) { sizes_ = how; }
  void tell_size(const std::string& path, std::uint64_t size, bool listed);
  void set_can_replace(bool can) { replaces_ = can; }
  // Called once, before that path is next written, made, removed, or given to a file as its name.
  void before(const std::string& path, std::function<void()> call);
  // Files written there from now on get other bytes.
  void spoil(const std::string& path);
  // A file's bytes; nothing: no file is there.
  std::optional<std::string> content(const std::string& path) const;
  std::vector<std::string> names() const;  // all paths, sorted

  // From now on reads wait to be answered by hand.
  void hold_reads() { holds_ = true; }
  // Waits until a read of this path is in hand.
  bool awaits(const std::string& path) const;
  // Asks the reading at hand what to request.
  remote::reading::next ask(const std::string& path, std::uint32_t at_most = 1U << 20);
  // Hands it bytes as they stand in the tree, or tells it that none are there.
  void answer(const std::string& path, std::uint64_t offset, std::uint32_t length);
  // Asks and answers until it wants no more.
  void answer_all(const std::string& path, std::uint32_t at_most = 1U << 20);
  // Ends it with what the file shows now, or with a failure.
  void finish(const std::string& path, std::optional<remote::failure> why = {});
  // Reads all that are at hand of this path to their end.
  void finish_all(const std::string& path);
  // All three: reads it to its end.
  void serve(const std::string& path);

  // The requests so far, in order.
  std::vector<std::string> reads() const;
  std::vector<std::string> lists() const;
  std::vector<std::string> raised() const;
  std::size_t reads_of(const std::string& path) const;
  std::size_t lists_of(const std::string& path) const;

  void list(const std::string& path, std::shared_ptr<remote::listing> to) override;
  void stat(const std::string& path,
            std::function<void(const std::optional<remote::failure>&, const remote::attributes&)> done) override;
  void read(std::shared_ptr<remote::reading> to, remote::priority where) override;
  void digest(const std::string& path, digest_callback done) override;
  void promote(const std::shared_ptr<remote::reading>& file) override;
  void write(std::shared_ptr<remote::writing> from) override;
  void make_directory(const std::string& path, std::uint32_t mode, change_callback done) override;
  void make_link(const std::string& path, const std::string& target, change_callback done) override;
  void rename(const std::string& from, const std::string& to, bool replace, change_callback done) override;
  void remove(const std::string& path, change_callback done) override;
  bool can_replace() const override { return replaces_; }
  health state() const override;
  void set_listener(std::function<void(const health&)> on_change) override;
  void stop() override;
  std::size_t max_in_flight() const override { return depth_; }

 private:
  struct node {
    remote::attributes attrs;
    std::string content;  // or a link's target
  };
  struct fault {
    remote::failure why;
    std::size_t after_names;
  };
  using job = std::function<void(const std::optional<remote::failure>& refused)>;
  void put(const std::string& path, node n);
  remote::attributes shown(const std::string& path, bool listed) const;
  void hand_over(remote::reading& to, const remote::range& part);
  void post(job j);
  void run();
  void read_now(const std::shared_ptr<remote::reading>& to);
  void remove_now(const std::string& path);
  void call_before(const std::string& path);
  void write_now(const std::shared_ptr<remote::writing>& from);
  void change(const std::string& path, change_callback done, std::function<std::optional<remote::failure>()> make);
  void list_now(const std::string& path, remote::listing& to);
  void check_taken(const std::string& path) const;
  std::optional<fault> fault_of(const std::string& path) const;
  std::shared_ptr<remote::reading> at_hand(const std::string& path, bool take);

  const std::size_t depth_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, node> tree_;
  std::map<std::string, remote::cause> denied_;
  std::map<std::string, fault> faults_;
  std::set<std::string> throws_;
  std::vector<std::string> reads_, lists_, raised_;
  std::multimap<std::string, std::shared_ptr<remote::reading>> held_;
  std::function<void(const health&)> listener_;
  health health_;
  std::deque<job> jobs_;
  std::map<std::string, std::function<void()>> before_;
  std::set<std::string> spoilt_;
  std::atomic<sizes> sizes_ = sizes::right;
  std::map<std::pair<std::string, bool>, std::uint64_t> sizes_told_;
  std::atomic<bool> replaces_ = true;
  std::atomic<bool> holds_ = false, stopped_ = false;
  std::thread thread_;
};

}  // namespace ferryfs::test
