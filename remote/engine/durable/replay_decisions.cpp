#include "remote/engine/durable/replay_decisions.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <string>
#include <vector>

#include "index/base/clock.hpp"
#include "index/base/path.hpp"
#include "index/update/replay.hpp"
#include "remote/engine/durable/decisions_file.hpp"
#include "remote/engine/durable/durable_changes.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t batch_size = 256;
constexpr const char *from_key = "replay_from", *to_key = "replay_to";  // offsets in the file

bool is_new(index::transaction& t) {
  bool empty = true;
  t.children(root_inode, "", [&](entry&&) { return empty = false; });
  return empty && !t.meta(decisions_length_key);
}

struct counts {
  std::uint64_t made = 0, vain = 0, waiting = 0;
};

// Whether the source has that path is not known: one of the directories above could not be listed.
bool is_below_unlisted(index::transaction& t, const std::string& path) {
  auto e = t.by_inode(root_inode);
  for (std::size_t from = 0; e;) {
    if (e->never_listed()) return true;
    const auto slash = path.find('/', from);
    if (slash == std::string::npos) return false;
    e = t.child(e->ino, path.substr(from, slash - from));
    from = slash + 1;
  }
  return false;
}

class pass {
 public:
  pass(index::writer& index, std::uint64_t from) : index_(index), end_(from) {}

  void add(const std::string& line, std::uint64_t end) {
    lines_.push_back(line), end_ = end;
    if (lines_.size() == batch_size) flush();
  }
  void flush() {
    using namespace std::chrono;
    const auto now = duration_cast<nanoseconds>(wall_now().time_since_epoch()).count();
    const auto batch = index_.run([&](index::transaction& t) {
      counts c;
      for (const auto& line : lines_) {
        const auto d = index::parse_decision(line);
        if (d && index::replay(t, *d, now))
          ++c.made;
        else
          ++(d && is_below_unlisted(t, d->path) ? c.waiting : c.vain);
      }
      t.put_meta(from_key, std::to_string(end_));
      return c;
    });
    lines_.clear();
    sum_.made += batch.made, sum_.vain += batch.vain, sum_.waiting += batch.waiting;
  }
  counts sum() const { return sum_; }

 private:
  index::writer& index_;
  std::uint64_t end_;
  std::vector<std::string> lines_;
  counts sum_;
};

}  // namespace

bool lacks_decisions(const destination& where, index::writer& index) {
  const auto length = length_of_decisions(where.decisions_path());
  return index.run([&](index::transaction& t) {
    if (length > 0 && is_new(t)) {
      for (const char* key : {to_key, decisions_length_key}) t.put_meta(key, std::to_string(length));
      t.put_meta(from_key, "0");
    }
    return t.meta(from_key) != t.meta(to_key);
  });
}

void replay_decisions(const destination& where, index::writer& index) {
  const auto offset = [&](const char* key) {
    return index.run([&](index::transaction& t) { return std::stoull(t.meta(key).value_or("0")); });
  };
  const auto from = offset(from_key), to = offset(to_key);
  pass p{index, from};
  read_decisions(where.decisions_path(), from, to,
                 [&](const std::string& line, std::uint64_t end) { p.add(line, end); });
  p.flush();
  index.run([&](index::transaction& t) { t.put_meta(from_key, t.meta(to_key).value_or("0")); });
  spdlog::info("{} decisions taken from {}/{}/decisions; {} others are about files that are not there", p.sum().made,
               printable(where.path()), own_directory, p.sum().vain);
  if (p.sum().waiting > 0)
    spdlog::error(
        "{}/{}/decisions: {} of them are about directories of the source that could not be listed, and are not taken; "
        "make those readable, then run ferryfs scan --rebuild",
        printable(where.path()), own_directory, p.sum().waiting);
}

}  // namespace ferryfs::remote
