// A listing that goes on while names are renamed, removed and made: each name that stays is listed once.
#include <dirent.h>
#include <sys/stat.h>

#include <map>
#include <memory>
#include <thread>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

constexpr int names = 3000;

struct closer {
  void operator()(DIR* d) const { ::closedir(d); }
};
using directory = std::unique_ptr<DIR, closer>;

std::string name_of(int i) {
  std::string digits = std::to_string(i);
  return "f" + std::string(5 - digits.size(), '0') + digits;
}

struct crowded : store {
  const fs::path day = *this / "day";
  crowded() {
    fs::create_directory(day);
    for (int i = 0; i < names; ++i) write_file(day / name_of(i), "");
  }
  // Lists the directory, calls `then` after each name, and counts how often each was listed.
  template <typename Then>
  std::map<std::string, int> list(Then then) const {
    const directory d{::opendir(day.c_str())};
    std::map<std::string, int> seen;
    int entries = 0;
    while (const dirent* e = ::readdir(d.get())) {
      if (e->d_name[0] == '.') continue;
      if (++entries > 4 * names) throw std::runtime_error("the listing does not end");
      ++seen[e->d_name];
      then(std::string(e->d_name));
    }
    return seen;
  }
  static int wrong(const std::map<std::string, int>& seen, int step = 1) {
    int count = 0;
    for (int i = 0; i < names; i += step) count += seen.contains(name_of(i)) && seen.at(name_of(i)) == 1 ? 0 : 1;
    return count;
  }
};

}  // namespace

TEST_CASE("names that are renamed away and back are listed once") {
  const crowded s;
  const auto seen = s.list([&](const std::string& name) {
    fs::rename(s.day / name, s.day / "TEMP");
    fs::rename(s.day / "TEMP", s.day / name);
  });
  CHECK(crowded::wrong(seen) == 0);
}

TEST_CASE("names that are removed and made again, or replaced, are listed once") {
  const crowded s;
  int i = 0;
  const auto seen = s.list([&](const std::string& name) {
    if (i++ % 2 == 0) {
      fs::remove(s.day / name);
      write_file(s.day / name, "again");
    } else {
      write_file(s.day / "new", "replaced");
      fs::rename(s.day / "new", s.day / name);
    }
  });
  CHECK(crowded::wrong(seen) == 0);
}

TEST_CASE("two who list and rename at once each see what the other leaves alone") {
  const crowded s;
  // One renames every third name, the other those that follow them; the rest stays.
  const auto list_and_rename = [&](int remainder) {
    return s.list([&, remainder](const std::string& name) {
      if (name.size() != 6 || std::stoi(name.substr(1)) % 3 != remainder) return;
      fs::rename(s.day / name, s.day / ("z" + name));
      fs::rename(s.day / ("z" + name), s.day / name);
    });
  };
  std::map<std::string, int> one, other;
  {
    const std::jthread second{[&] { other = list_and_rename(2); }};
    one = list_and_rename(1);
  }
  CHECK(crowded::wrong(one, 3) == 0);
  CHECK(crowded::wrong(other, 3) == 0);
}

TEST_CASE("a directory is emptied while it is listed, and the listing ends") {
  const crowded s;
  const auto seen = s.list([&](const std::string& name) { fs::remove(s.day / name); });
  CHECK(crowded::wrong(seen) == 0);
  CHECK(fs::is_empty(s.day));
}
