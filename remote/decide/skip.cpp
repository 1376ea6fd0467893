#include "remote/decide/skip.hpp"

#include <sys/stat.h>

#include <vector>

#include "index/decision.hpp"
#include "index/rows_below.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t batch_size = 512;

// Changes rows by `decide`, many in one job, and counts the pictures that it changed.
class batch {
 public:
  using decision = bool (*)(index::transaction&, inode);
  batch(index::writer& index, decision decide) : index_(index), decide_(decide) {}

  void add(const entry& e) {
    rows_.push_back(e);
    if (rows_.size() == batch_size) flush();
  }
  void flush() {
    sum_ += index_.run([&](index::transaction& t) {
      index::total changed;
      for (const entry& e : rows_)
        if (decide_(t, e.ino) && e.source && !S_ISDIR(e.source->mode))
          changed += {1, static_cast<std::int64_t>(e.source->size), 0};
      return changed;
    });
    rows_.clear();
  }
  index::total sum() const { return sum_; }

 private:
  index::writer& index_;
  decision decide_;
  std::vector<entry> rows_;
  index::total sum_;
};

std::uint64_t count_unlisted(index::reader& r, const std::string& path) {
  std::uint64_t unlisted = 0;
  const auto self = r.at(path);
  std::vector<inode> stack;
  if (self && self->is_directory()) unlisted += self->never_listed() ? 1 : 0, stack.push_back(self->ino);
  while (!stack.empty()) {
    const inode directory = stack.back();
    stack.pop_back();
    r.subdirectories(directory, "", [&](entry&& e) {
      unlisted += e.never_listed() ? 1 : 0;
      stack.push_back(e.ino);
      return true;
    });
  }
  return unlisted;
}

}  // namespace

skipped skip_below(index::writer& index, index::readers& readers, const std::string& path,
                   const std::stop_token& stop) {
  skipped done;
  const auto reader = readers.borrow();
  done.known = reader->at(path).has_value();
  batch b{index, index::record_skipped};
  index::rows_below(*reader, {state::missing, state::failed}, path, [&](const std::string&, const entry& e) {
    b.add(e);
    return !stop.stop_requested();
  });
  b.flush();
  done.files = static_cast<std::uint64_t>(b.sum().files);
  done.bytes = static_cast<std::uint64_t>(b.sum().source_bytes);
  done.unlisted = count_unlisted(*reader, path);
  return done;
}

void want_below(index::writer& index, index::readers& readers, const std::string& path, const std::stop_token& stop) {
  const auto reader = readers.borrow();
  batch b{index, index::record_wanted};
  index::rows_below(*reader, {state::skipped}, path, [&](const std::string&, const entry& e) {
    b.add(e);
    return !stop.stop_requested();
  });
  b.flush();
}

}  // namespace ferryfs::remote
