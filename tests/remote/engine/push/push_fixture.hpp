// What the tests of a push stand on: a destination with pictures, a source, and the index between them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "remote/engine/migration/migration.hpp"
#include "remote/engine/push/pusher.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/remote/fake_archive.hpp"

namespace ferryfs::test {

inline constexpr std::int64_t old_time = 1'400'000'000;

// What is put here counts as at rest.
template <class Archive>
struct push_fixture {
  temp_dir dir{"destination"};
  remote::destination where{dir.path().string()};
  Archive* source;
  std::unique_ptr<remote::migration> engine;
  std::uint64_t sent_bytes = 0;

  explicit push_fixture(std::unique_ptr<Archive> archive, remote::settings s = {}) : source(archive.get()) {
    where.acquire("");
    engine = std::make_unique<remote::migration>(s, where, std::move(archive));
    engine->index().run([](index::transaction& t) { t.put_meta("archive_id", "mine"); });
  }
  ~push_fixture() { engine->stop(); }

  void put(const std::string& path, std::string_view content) {
    write_file(dir / path, content);
    const timespec times[2] = {{old_time, 0}, {old_time, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (dir / path).c_str(), times, 0) == 0);
  }
  bool started = false;
  void scan() {
    auto scanned = std::make_shared<std::promise<void>>();
    // An empty source is one to push to.
    engine->rescan([scanned](const auto&) { scanned->set_value(); }, remote::migration::pass::full, true);
    if (!std::exchange(started, true)) engine->start({false, false});
    scanned->get_future().get();
  }
  remote::pusher::dependencies needs() {
    auto& m = *engine;
    return {m.setup(), where, *source, m.index(), m.readers(), m.limit(), m.suspicion()};
  }
  remote::push_result push(const std::string& path = "", bool overwritten = false, remote::open_files_query open = {}) {
    remote::pusher p{needs(), overwritten, std::move(open)};
    auto r = p.run(path, {});
    sent_bytes = p.so_far().bytes;
    INFO(r.first_refusal << r.why);
    return r;
  }
  entry row(const std::string& path) { return engine->readers().borrow()->at(path).value(); }
  template <typename Edit>
  void edit(const std::string& path, Edit&& change) {
    engine->index().run([&](index::transaction& t) {
      const entry before = t.by_inode(row(path).ino).value();
      entry after = before;
      change(after);
      t.update(before, after);
    });
  }
  std::string state_of(const std::string& path) {
    const auto e = engine->readers().borrow()->at(path);
    return e ? std::string(name_of(e->state)) : "unknown";
  }
};

struct fake_fixture : push_fixture<fake_archive> {
  explicit fake_fixture(remote::settings s = {}) : push_fixture(std::make_unique<fake_archive>(), std::move(s)) {}
};

}  // namespace ferryfs::test
