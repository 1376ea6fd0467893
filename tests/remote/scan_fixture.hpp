// Scans of a source that a test drives, into an index.
#pragma once

#include <sys/stat.h>
#include <mutex>

#include <future>
#include <map>
#include <string>
#include <vector>

#include "remote/engine/scan/source_scan.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {

struct scan_fixture {
  temp_dir dir{"index"};
  std::string path = (dir / "index.db").string();
  index::writer writer{path};
  index::readers readers{path};
  remote::filter leave_out;
  fake_archive source;
  remote::belief believes;

  std::mutex mutex;
  std::map<inode, std::optional<remote::failure>> ends_by_directory;  // of each directory
  int finishes = 0;

  explicit scan_fixture(const std::vector<std::string>& exclude = {}) : leave_out(exclude, "generic") {}
  ~scan_fixture() { source.stop(); }

  std::shared_ptr<remote::source_scan> make(bool full, std::promise<remote::source_scan::result>& end) {
    return std::make_shared<remote::source_scan>(
        remote::source_scan::dependencies{source,
                                          writer,
                                          readers,
                                          leave_out,
                                          [this](inode ino, const std::optional<remote::failure>& why) {
                                            const std::lock_guard lock{mutex};
                                            ends_by_directory[ino] = why;
                                          },
                                          [this, &end](const remote::source_scan::result& r) {
                                            const std::lock_guard lock{mutex};
                                            if (finishes++ == 0) end.set_value(r);
                                          },
                                          {},
                                          believes},
        full);
  }
  remote::source_scan::result scan(bool full = false) {
    {
      const std::lock_guard lock{mutex};
      ends_by_directory.clear(), finishes = 0;
    }
    std::promise<remote::source_scan::result> end;
    make(full, end)->start();
    auto future = end.get_future();
    if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) throw std::logic_error("it never ends");
    writer.run([](index::transaction&) {});
    return future.get();
  }
  std::optional<entry> at(const std::string& where) { return readers.borrow()->at(where); }
  entry row(const std::string& where) { return at(where).value(); }
};

}  // namespace ferryfs::test
