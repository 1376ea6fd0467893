// The calls on the files of a directory, as the process makes them that was started for that (file_process.hpp).
#pragma once

#include <string>

namespace ferryfs::remote {

// Each packet on the socket `line` is a call, and is answered by another once that is made. Returns when the other
// end is closed. The file `place` shows the name in a listed directory that is looked at just now, as this may not end.
void serve_files(const std::string& root, int line, int place);

}  // namespace ferryfs::remote
