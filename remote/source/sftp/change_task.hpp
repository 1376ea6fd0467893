// Makes one change of a name on the source, and looks at what then stands there: MKDIR, SYMLINK, RENAME, REMOVE.
// Version 3 has no error of its own for a name that is taken, so a refused change is followed by a look as well.
#pragma once

#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

struct change {
  enum class what { directory, link, name, replacement, removal } kind;
  std::string path;   // whose attributes the callback gets
  std::string other;  // a link's target; the name until now
  std::uint32_t mode = 0;
};

class change_task final : public task {
 public:
  change_task(change c, archive::change_callback done) : change_(std::move(c)), done_(std::move(done)) {}
  void start(request_sender& w) override;
  void reply(request_sender& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override { end(why, {}); }

 private:
  request begun(type t) { return {shared_from_this(), t, {}, {}}; }
  void make_link(request_sender& w);
  // The trial that tells in which order the server takes a link's two paths.
  request trial(type t, const std::string& path) { return {shared_from_this(), t, {}, {path, {}, {}}}; }
  static bool is_trial(const request& r) noexcept { return !r.about.name.empty(); }
  void try_order(request_sender& w, const std::string& mark);
  void accept_trial(request_sender& w, const request& r, type got, parser& p);
  void accept_trial_link(request_sender& w, parser& p);
  void judge_trial(request_sender& w);
  void accept_trial_removal(request_sender& w, const request& r, parser& p);
  void set_order(request_sender& w, link_order order);
  void accept_change(request_sender& w, parser& p);
  void request_attributes(request_sender& w);
  void accept_attributes(request_sender& w, type got, parser& p);
  void end(const std::optional<failure>& why, const attributes& a);

  change change_;
  archive::change_callback done_;
  std::optional<failure> failed_;
  struct path_on_trial {
    std::string path;
    bool is_link = false;
  };
  path_on_trial first_, second_;  // of a link that is made to learn the order
  unsigned looks_ = 0;            // READLINKs of these that are not answered
  bool made_trial_ = false;       // it was this task that made it
  bool again_ = false;            // under names that nothing else uses
  bool knows_order_ = false;
};

}  // namespace ferryfs::remote::sftp
