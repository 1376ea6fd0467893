// One change of a name on the source, and a look at what then stands there: MKDIR, SYMLINK, RENAME, REMOVE. Version 3
// has no error of its own for a name that is taken, so a refused change is followed by a look as well.
#pragma once

#include "remote/sftp/task.hpp"

namespace ferryfs::remote::sftp {

struct change {
  enum class what { directory, link, name, replacement, removal } kind;
  std::string path;   // whose state is told
  std::string other;  // a link's target; the name until now
  std::uint32_t mode = 0;
};

class change_task final : public task {
 public:
  change_task(change c, archive::changed done) : change_(std::move(c)), done_(std::move(done)) {}
  void start(wire& w) override;
  void reply(wire& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override { end(why, {}); }

 private:
  request begun(type t) { return {shared_from_this(), t, {}, {}}; }
  void make_link(wire& w);
  void try_order(wire& w);
  void order_tried(wire& w, const request& r, parser& p);
  void changed(wire& w, parser& p);
  void look(wire& w);
  void looked(wire& w, type got, parser& p);
  void end(const std::optional<failure>& why, const attributes& a);

  change change_;
  archive::changed done_;
  std::optional<failure> failed_;
  std::string tried_first_, tried_second_;  // the two paths of a link that is made to learn the order
};

}  // namespace ferryfs::remote::sftp
