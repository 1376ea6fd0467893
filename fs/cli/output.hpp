// Standard output of commands that print much: in large pieces, and over once nobody reads it any more.
#pragma once

#include <string>
#include <string_view>

namespace ferryfs::fs {

class output {
 public:
  // False: the reader has gone (`| head`), which is no error; nothing more need be made. Throws ferryfs::error (local)
  // where it can't be written otherwise.
  bool add(std::string_view text);
  // Writes what is held back. To be called at the end.
  void finish();

 private:
  std::string held_;
  bool wanted_ = true;
};

}  // namespace ferryfs::fs
