// ferryfs killed while a program uploads, renames and deletes through the mount, beside a replication: what the program
// was told is done is done after the next start, whatever the moment was.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int kills = 50;

// The files that the mount must hold: path and content. The one operation that was under way when ferryfs was killed
// may have happened or not: `after` is the model in which it has.
struct model {
  tree now, after;
};

// One writer with a seed of its own. Stops at the first error: ferryfs is dead.
class uploader {
 public:
  uploader(fs::path root, model& m, unsigned seed) : root_(std::move(root)), model_(m), dice_(seed) {}

  // Operations until ferryfs dies.
  void run() {
    while (step()) ++done_;
  }
  int done() const { return done_; }

 private:
  bool step() {
    switch (dice_() % 8) {
      case 0:
      case 1:
      case 2:
        return upload();
      case 3:
        return append();
      case 4:
        return remove();
      case 5:
      case 6:
        return rename();
      default:
        return rename_directory();
    }
  }

  std::string some_name() {
    static std::atomic<int> number{0};
    return "day" + std::to_string(dice_() % 6) + "/" + std::to_string(number++) + ".jpg";
  }
  std::string some_file() {
    std::vector<std::string> files;
    for (const auto& [path, content] : model_.now)
      if (content != "/") files.push_back(path);
    return files.empty() ? "" : files[dice_() % files.size()];
  }
  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

  // The model has it once the operation succeeded; until then both are possible.
  template <typename Work>
  bool attempt(const tree& after, Work&& work) {
    model_.after = after;
    if (!work()) return false;
    model_.now = after;
    return true;
  }
  bool make_directory(const std::string& path) {
    if (model_.now.contains(path)) return true;
    tree after = model_.now;
    after[path] = "/";
    return attempt(after, [&] { return ::mkdir((root_ / path).c_str(), 0755) == 0; });
  }
  bool write_all(const fs::path& path, int flags, const std::string& bytes) {
    const int file = ::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) return false;
    const bool written = ::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
    const bool durable = written && ::fsync(file) == 0;
    return ::close(file) == 0 && durable;
  }

  // As cameras do: under a name of its own first.
  bool upload() {
    const std::string name = some_name(), part = name + ".part", bytes = noise(2'000 + dice_() % 60'000, dice_());
    if (!make_directory(parent(name))) return false;
    tree after = model_.now;
    after[part] = "*";  // with any content, until it is closed
    if (!attempt(after, [&] { return write_all(root_ / part, O_CREAT | O_EXCL, bytes); })) return false;
    model_.now[part] = bytes;
    after = model_.now;
    after.erase(part);
    after[name] = bytes;
    return attempt(after, [&] { return ::rename((root_ / part).c_str(), (root_ / name).c_str()) == 0; });
  }
  bool append() {
    const std::string name = some_file(), more = noise(500, dice_());
    if (name.empty()) return true;
    tree after = model_.now;
    after[name] += more;
    return attempt(after, [&] { return write_all(root_ / name, O_APPEND, more); });
  }
  bool remove() {
    const std::string name = some_file();
    if (name.empty()) return true;
    tree after = model_.now;
    after.erase(name);
    return attempt(after, [&] { return ::unlink((root_ / name).c_str()) == 0; });
  }
  bool rename() {
    const std::string from = some_file();
    if (from.empty()) return true;
    const std::string to = dice_() % 4 == 0 ? some_file() : some_name();  // now and then over another
    if (to == from || !make_directory(parent(to))) return to == from;
    tree after = model_.now;
    after[to] = after[from];
    after.erase(from);
    return attempt(after, [&] { return ::rename((root_ / from).c_str(), (root_ / to).c_str()) == 0; });
  }
  bool rename_directory() {
    std::vector<std::string> directories;
    for (const auto& [path, content] : model_.now)
      if (content == "/") directories.push_back(path);
    if (directories.empty()) return true;
    const std::string from = directories[dice_() % directories.size()], to = from + "x";
    if (to.size() > 100 || model_.now.contains(to)) return true;
    tree after;
    for (const auto& [path, content] : model_.now)
      after[path == from || path.starts_with(from + "/") ? to + path.substr(from.size()) : path] = content;
    return attempt(after, [&] { return ::rename((root_ / from).c_str(), (root_ / to).c_str()) == 0; });
  }

  fs::path root_;
  model& model_;
  std::mt19937 dice_;
  int done_ = 0;
};

// A file of both models must be there at once, and none that neither has; a file of one may come with the first scan.
std::string wrong_at_once(const model& m, const tree& seen) {
  for (const auto& [path, content] : m.now) {
    const auto then = m.after.find(path);
    if (then == m.after.end() || then->second != content) continue;
    const auto there = seen.find(path);
    if (there == seen.end() || there->second != content) return path;
  }
  for (const auto& [path, content] : seen)
    if (!m.now.contains(path) && !m.after.contains(path)) return path;
  return {};
}

// The model that the mount agrees with; the difference to both where it agrees with neither.
std::string adopt_model(model& m, const tree& seen, const tree& source) {
  tree plain = m.after;
  // A picture that was changed here, and whose removal was cut off when the disk had it: the source's copy shows again.
  for (const auto& [path, content] : m.now) {
    const auto old = source.find(path), shown = seen.find(path);
    if (plain.contains(path) || old == source.end() || shown == seen.end() || shown->second != old->second) continue;
    tree removed = m.now;
    removed.erase(path);
    if (removed == m.after) plain[path] = old->second;
  }
  for (auto& [path, content] : plain)
    if (content == "*" && seen.contains(path)) content = seen.at(path);
  const std::string with = difference(plain, seen), without = difference(m.now, seen);
  if (with.empty())
    m.now = plain;
  else if (!without.empty())
    return "as if it had not happened: " + without + "; as if it had: " + with;
  m.after = m.now;
  return {};
}

}  // namespace

TEST_CASE("killed at fifty moments of uploads, renames and deletes, it keeps what it said it had done", "[slow]") {
  const ferry f;
  for (int i = 0; i < 200; ++i)
    write_old(f.from / ("day" + std::to_string(i % 6)) / ("old" + std::to_string(i) + ".jpg"),
              noise(3'000 + static_cast<std::size_t>(i) * 10, static_cast<unsigned>(i)));
  const tree source = contents_below(f.from);
  model m{source, source};
  std::mt19937 dice(20240202);
  mount_fixture mount(f.options({"--limit", "40K"}));  // so that most is missing for a good while
  int operations = 0;
  for (int kill = 0; kill < kills; ++kill) {
    INFO("kill " << kill << ", " << operations << " operations before");
    REQUIRE(wrong_at_once(m, contents_below(mount.mountpoint())) == "");
    REQUIRE(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
    REQUIRE(adopt_model(m, contents_below(mount.mountpoint()), source) == "");
    uploader u{mount.mountpoint(), m, static_cast<unsigned>(dice())};
    std::thread program([&] { u.run(); });
    const auto moment = std::chrono::steady_clock::now() + std::chrono::milliseconds(dice() % 700);
    wait_until([&] { return std::chrono::steady_clock::now() >= moment; });
    mount.kill9();
    program.join();
    operations += u.done();
    mount.start();
  }
  INFO(operations << " operations");
  CHECK(operations > 500);
  REQUIRE(adopt_model(m, contents_below(mount.mountpoint()), source) == "");
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "limit", "0"}).code == 0);
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
  // The file that was appended to is in conflict with the source's copy, which stays as it is.
  CHECK(wait_until(
      [&] {
        const auto status = nlohmann::json::parse(run_ferryfs({"status", "--json", mount.mountpoint()}).out);
        return status["missing"]["files"] == 0 && status["failed"]["files"] == 0;
      },
      60s));
  CHECK(difference(m.now, contents_below(mount.mountpoint())) == "");
  CHECK(mount.stop() == 0);
  CHECK(difference(m.now, contents_below(f.to)) == "");
  CHECK(difference(source, contents_below(f.from)) == "");
}
