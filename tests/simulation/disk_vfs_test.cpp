// The index on the disk in memory: what was synced of it survives a power cut, and the file is never damaged.
#include "tests/simulation/disk_vfs.hpp"

#include <random>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/fiber_scheduler.hpp"
#include "tests/simulation/memory_disk.hpp"

namespace ferryfs::test {
namespace {

// The stacks of a fiber are not those that a sanitizer knows.
void refuse_sanitizers() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  skip("built with a sanitizer, which knows no fibers");
#endif
}

// Writes numbers, the n-th synced; cuts the power at the call `cut`; returns which number is there afterwards.
int write_until(std::uint64_t seed, int cut, bool weak, int& synced) {
  install_disk_vfs();
  memory_disk disk{{.weak = weak}};
  disk_calls::install(&disk);
  reset_disk_vfs();
  fiber_scheduler machine{seed};
  int calls = 0, found = -1;
  disk.before_each([&](const char*) {
    if (++calls == cut) machine.abandon();
    return 0;
  });
  const bool ended = machine.run([&] {
    index::writer w{"/index.db"};
    for (int i = 0; i < 8; ++i) {
      w.run([&](index::transaction& t) { t.put_meta("number", std::to_string(i)); });
      w.sync();
      synced = i;
    }
  });
  disk.before_each(nullptr);
  std::mt19937_64 random{seed};
  if (!ended) disk.cut_power(random);
  reset_disk_vfs();
  fiber_scheduler next{seed};
  next.run([&] {
    index::writer w{"/index.db"};
    index::readers r{"/index.db"};
    found = std::stoi(r.borrow()->meta("number").value_or("-1"));
  });
  disk_calls::install(nullptr);
  return found;
}

}  // namespace

TEST_CASE("an index is made, written and read on the disk in memory, and what was synced outlives a power cut") {
  refuse_sanitizers();
  for (const bool weak : {false, true})
    for (int cut = 1;; ++cut) {
      CAPTURE(weak, cut);
      int synced = -1;
      const int found = write_until(static_cast<std::uint64_t>(cut), cut, weak, synced);
      REQUIRE(found >= synced);
      if (synced == 7) break;
    }
}

}  // namespace ferryfs::test
