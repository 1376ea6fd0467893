// The whole engine between a source that a test drives and a destination of its own; it works when it is told to.
#pragma once

#include <future>
#include <utility>

#include "remote/engine/decide/fetch_below.hpp"
#include "remote/engine/decide/resolve.hpp"
#include "remote/engine/migration/migration.hpp"
#include "tests/remote/fetch_fixture.hpp"

namespace ferryfs::test {

struct migration_fixture {
  temp_dir dir{"destination"};
  taken_destination where;
  fake_archive* source;  // the migration's
  remote::migration m;

  migration_fixture()
      : where(dir.path()), source(new fake_archive), m({}, where, std::unique_ptr<fake_archive>(source)) {}
  ~migration_fixture() { m.stop(); }

  std::optional<entry> at(const std::string& path) { return m.readers().borrow()->at(path); }
  entry row(const std::string& path) { return at(path).value(); }
  std::filesystem::path on_disk(const std::string& path) const { return std::filesystem::path(where.path()) / path; }
  std::int64_t of(state s) { return m.readers().borrow()->totals().of(s).files; }

  // Looks at both sides to their end, and fetches nothing.
  void scan() {
    std::promise<void> end;
    m.rescan([&](const auto&) { end.set_value(); });
    if (!std::exchange(started_, true)) m.start({false, false});
    if (end.get_future().wait_for(std::chrono::seconds(20)) != std::future_status::ready)
      throw std::logic_error("it never ends");
  }
  remote::fetch_below_result fetch_below(const std::string& path) {
    return remote::fetch_below(m.index(), m.readers(), m.fetch(), path, {});
  }
  remote::resolve_result resolve_below(const std::string& path, remote::keep what,
                                       const remote::open_files_query& open = {}) {
    return remote::resolve_below({where, m.source(), m.index(), m.readers(), m.fetch(), m.replicate()}, path, what,
                                 open, {});
  }
  // A file of the destination, with its time.
  void put_here(const std::string& path, const std::string& content, std::int64_t mtime = long_ago) {
    std::filesystem::create_directories(on_disk(path).parent_path());
    write_file(on_disk(path), content);
    const timespec times[] = {{mtime, 0}, {mtime, 0}};
    REQUIRE(::utimensat(AT_FDCWD, on_disk(path).c_str(), times, 0) == 0);
  }

 private:
  bool started_ = false;
};

}  // namespace ferryfs::test
