// Makes an index of many missing pictures, one every minute as a camera takes them, and times what a mount asks of it.
// Usage: ferryfs-scale INDEX PICTURES SOURCE; prints one JSON object. scripts/bench --scale runs it.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "fs/process/settings_json.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/query/set.hpp"

namespace {

using namespace ferryfs;

constexpr std::int64_t a_day = 1440;

file_facts made(std::uint32_t mode, std::uint64_t size) { return {mode, size, 1'400'000'000'000'000'000}; }

entry directory(inode parent, std::string name, std::int32_t day) {
  entry e;
  e.parent = parent, e.name = std::move(name), e.day = day, e.source = made(S_IFDIR | 0755, 4096);
  e.listed_mtime = 1'400'000'000;
  return e;
}

struct archive {
  std::vector<inode> days;
  std::vector<std::int64_t> dates;
};

archive fill(index::writer& w, std::int64_t pictures) {
  archive a;
  const inode top = w.run([&](index::transaction& t) {
    const entry root = t.by_inode(root_inode).value();
    entry listed = root;
    listed.source = made(S_IFDIR | 0755, 4096), listed.listed_mtime = 1'400'000'000;
    t.update(root, listed);
    t.put_meta("last_scan", "1700000000");
    return t.insert(directory(root_inode, "pictures", 20000101));
  });
  std::minstd_rand dice{1};
  for (std::int64_t left = pictures, date = 946'684'800; left > 0; left -= a_day, date += 86'400) {
    a.dates.push_back(date);
    a.days.push_back(w.run([&](index::transaction& t) {
      const auto day = std::stoi(fmt::format("{:%Y%m%d}", fmt::gmtime(date)));
      const inode ino = t.insert(directory(top, std::to_string(day), day));
      for (std::int64_t i = 0; i < std::min(left, a_day); ++i) {
        entry e;
        e.parent = ino, e.day = day, e.name = fmt::format("{:%Y%m%d%H%M%S}.jpg", fmt::gmtime(date + 60 * i));
        e.source = made(S_IFREG | 0644, 3'000'000 + dice() % 1'700'000);
        t.insert(e);
      }
      return ino;
    }));
  }
  return a;
}

template <typename Work>
double microseconds(int times, Work&& work) {
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) work(i);
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count() / times;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("usage: ferryfs-scale INDEX PICTURES SOURCE\n", stderr), 2;
  const std::int64_t pictures = std::atoll(argv[2]);
  archive a;
  {
    index::writer w{argv[1]};
    a = fill(w, pictures);
    remote::settings s;
    s.source = argv[3];
    w.run([&](index::transaction& t) { fs::write_settings(t, s); });
    w.sync();
  }
  index::reader r{argv[1]};
  std::minstd_rand dice{2};
  const auto some = [&](std::size_t n) { return dice() % n; };
  const double lookup = microseconds(20'000, [&](int) {
    const auto day = some(a.days.size());
    r.child(a.days[day],
            fmt::format("{:%Y%m%d%H%M%S}.jpg", fmt::gmtime(a.dates[day] + 60 * static_cast<int>(some(a_day)))));
  });
  const double inodes = microseconds(20'000, [&](int) { r.by_inode(some(static_cast<std::size_t>(pictures)) + 1); });
  const double list =
      microseconds(50, [&](int) { r.children(a.days[some(a.days.size())], "", [](entry&&) { return true; }); });
  const double totals = microseconds(1'000, [&](int) { r.totals(); });
  const double gaps = microseconds(200, [&](int) { r.gaps(99'999'999, 0, 1'000, [](entry&&) {}); });
  struct stat st {};
  ::stat(argv[1], &st);
  std::printf("%s\n",
              fmt::format(R"({{"lookup_us": {:.1f}, "inode_us": {:.1f}, "day_ms": {:.2f}, "totals_us": {:.0f}, )"
                          R"("gaps_ms": {:.2f}, "bytes": {:.0f}}})",
                          lookup, inodes, list / 1e3, totals, gaps / 1e3,
                          static_cast<double>(st.st_size) / static_cast<double>(pictures))
                  .c_str());
}
