// What both sides had and did, and what may therefore stand on the destination's disk. Shares no code with the engine:
// it knows the old server's tree, what each call of the user was and how it ended, and nothing of the index.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/simulation/memory_disk.hpp"
#include "tests/simulation/old_server.hpp"

namespace ferryfs::test {

class model {
 public:
  using time = std::chrono::steady_clock::time_point;
  explicit model(const old_server& server) : server_(server) {}

  // A side has had these bytes under some name, all of them.
  void add_whole(const std::string& content) { whole_.insert(content); }
  bool is_whole(const std::string& content) const { return whole_.contains(content); }
  // A file had these bytes for a moment, while it was being written: a reader may see them.
  void add_moment(const std::string& content) { moments_.insert(content); }

  // The user's calls. One that is under way may have happened or not when the process dies: begin() with its paths, and
  // one of the others at its end. False: another is under way there.
  bool begin(const std::vector<std::string>& paths);
  void end(const std::vector<std::string>& paths);
  // A copy of what the old server has stood here before anything began.
  void stood(const std::string& path) { stood_.insert(path); }
  void wrote(const std::string& path, const std::string& content, bool synced);
  // The user begins to read a file, and has read it to its end. What is wrong with that is told by the next
  // contradiction(). Of one that becomes another on the old server meanwhile, or that the engine need not know yet, a
  // reader may get bytes of both.
  void looks(const std::string& path);
  void saw(const std::string& path, const std::string& content);
  void removed(const std::string& path, time now);
  void renamed(const std::string& from, const std::string& to, time now);
  void made_directory(const std::string& path);
  void synced_directories();
  // It went wrong half way, or took more than one path along: anything may stand there and below.
  void lose_sight_of(const std::string& path);

  // The disk refuses calls, so that the index may not keep what was fetched.
  void may_forget() { forgets_ = true; }
  // A scan of the old server that was begun then saw all of it.
  void listed(std::chrono::system_clock::time_point begun) { listed_ = begun; }

  void on_kill();
  // `weak`: an fsync of a file does not make its name durable.
  void on_power_cut(time now, bool weak);

  // Nothing: all is as it may be. At any moment: no name holds bytes that nobody ever had.
  std::optional<std::string> contradiction(const memory_disk& disk) const;
  // At rest, with the network there: all that could be had is there, as the last decision wants it.
  // `conflicts`: the paths that the index shows as such; `is_complete`: what it says.
  std::optional<std::string> contradiction_at_rest(const memory_disk& disk, const std::set<std::string>& conflicts,
                                                   bool is_complete) const;

 private:
  struct expectation {
    enum class what { written, gone, maybe_gone, moved_here, directory } is;
    std::string content = {};  // written, or of the origin when it was renamed
    std::string origin = {};   // moved_here: its name on the old server
    bool durable = false;
    time at = {};
  };
  static bool is_here(const expectation& e) noexcept {
    return e.is == expectation::what::written || e.is == expectation::what::moved_here;
  }
  bool may_conflict(const std::string& path) const;
  std::string name_there(const std::string& path) const;
  bool is_out_of_sight(const std::string& path) const;
  bool is_under_way(const std::string& path) const;
  bool is_touched(const std::string& path) const;
  expectation gone(const std::string& path, time now) const;

  const old_server& server_;
  std::unordered_set<std::string> whole_, moments_;
  std::chrono::system_clock::time_point listed_{};
  bool forgets_ = false;
  std::map<std::string, expectation> mine_;
  std::vector<std::string> out_of_sight_;
  std::set<std::string> under_way_, stood_;
  std::map<std::string, std::string> looked_at_;  // what the old server had when a look at it began
  std::optional<std::string> seen_;               // that was wrong
};

// Where the destination is on the disk, without a slash at its beginning.
inline constexpr const char* destination_name = "archive";

}  // namespace ferryfs::test
