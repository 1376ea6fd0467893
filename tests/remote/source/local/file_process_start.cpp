// A directory archive starts the program that it is in once more (file_process.hpp), which is this test then. Catch2's
// main knows nothing of that: it is served before main. glibc hands the arguments to such functions.
#include <unistd.h>

#include "remote/source/local/file_process.hpp"

namespace {

[[gnu::constructor]] void serve_files(int argc, char** argv) {
  if (ferryfs::remote::run_as_file_process(argc, argv)) ::_exit(0);
}

}  // namespace
