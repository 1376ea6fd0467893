// A person who works at random on both sides, and tells the model.
#pragma once

#include <string>

#include "tests/simulation/dice.hpp"
#include "tests/simulation/model.hpp"
#include "tests/simulation/old_server.hpp"
#include "tests/simulation/server_archive.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/simulation/user.hpp"

namespace ferryfs::test {

class person {
 public:
  struct world {
    dice& random;
    old_server& server;
    model& known;
    trace& log;
    std::uint64_t& last_content;  // that was made up
  };
  explicit person(world w) : world_(w) {}

  // What stands on the old server before anything begins.
  void furnish();
  // What stands on the destination's disk before that: of some pictures a copy, of some another one.
  void furnish_here(memory_disk& disk);
  // One step on the old server, or of its network. Blocks for the time that it takes.
  void work_there(server_archive& network);
  // One step on the destination.
  void work_here(user& u);
  void calm_down(server_archive& network);
  // The process died, and with it the person's threads: what was being uploaded stays as it is.
  void on_crash();

 private:
  std::string make_up();
  std::string any_directory();
  std::string any_path();
  void pause(std::chrono::microseconds longest);
  void upload(const std::string& path);
  void put(user& u, const std::string& path);
  void append(user& u, const std::string& path);
  void look(user& u, const std::string& path);
  void remove(user& u, const std::string& path);
  void rename(user& u, const std::string& from, const std::string& to, bool is_tree);
  void finish_writing(user::file& f, const std::string& path, const std::string& content);
  void say(const std::string& what, int problem);

  world world_;
  std::string uploading_;  // a path; empty: nothing
};

}  // namespace ferryfs::test
