#include "remote/engine/decide/skip.hpp"

#include <sys/stat.h>

#include <vector>

#include "index/base/path.hpp"
#include "index/query/rows_below.hpp"
#include "index/update/decision.hpp"
#include "index/update/refused_names.hpp"

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

bool is_below(index::reader& r, inode ino, inode top) {
  for (int depth = 0; ino != top && depth < 2048; ++depth) {
    const auto row = r.name(ino);
    if (!row || ino == root_inode) return false;
    ino = row->parent;
  }
  return ino == top;
}

// Those at or below `path` that a scan could not list are accepted; the others have not been tried yet.
void accept_unlisted(index::writer& index, index::reader& r, const std::string& path, skip_result& done) {
  const auto top = r.at(path);
  if (!top) return;
  std::vector<index::unlisted> all;
  r.unlisted_directories([&](index::unlisted&& u) { return all.push_back(std::move(u)), true; });
  std::erase_if(all, [&](const index::unlisted& u) { return !is_below(r, u.directory, top->ino); });
  for (const auto& u : all)
    if (u.text.empty())
      ++done.unlisted_directories;
    else if (index.run([&](index::transaction& t) { return index::apply_unlisted_acceptance(t, u.directory); }))
      ++done.accepted_directories;
}

void accept_losses(index::writer& index, index::reader& r, const std::string& path, skip_result& done) {
  std::vector<std::string> all;
  r.lost_pictures([&](const index::lost_picture& l) {
    if (is_at_or_below(l.path, path)) all.push_back(l.path);
    return true;
  });
  if (all.empty()) return;
  done.known = true;
  done.lost_pictures = all.size();
  index.run([&](index::transaction& t) {
    for (const auto& lost : all) t.remove_lost(lost);
  });
}

}  // namespace

skip_result skip_below(index::writer& index, index::readers& readers, const std::string& path,
                       const std::stop_token& stop) {
  skip_result done;
  const auto reader = readers.borrow();
  done.known = reader->at(path).has_value();  // a loss has no row
  batch b{index, index::apply_skip};
  index::rows_below(*reader, {state::missing, state::failed, state::refused}, path,
                    [&](const std::string&, const entry& e) {
                      b.add(e);
                      return !stop.stop_requested();
                    });
  b.flush();
  done.refused_names = index.run([&](index::transaction& t) { return index::skip_refused(t, *reader, path); });
  done.known = done.known || done.refused_names > 0;
  done.files = static_cast<std::uint64_t>(b.sum().files);
  done.bytes = static_cast<std::uint64_t>(b.sum().source_bytes);
  accept_losses(index, *reader, path, done);
  accept_unlisted(index, *reader, path, done);
  return done;
}

void unskip_below(index::writer& index, index::readers& readers, const std::string& path, const std::stop_token& stop) {
  const auto reader = readers.borrow();
  batch b{index, index::apply_unskip};
  index::rows_below(*reader, {state::skipped}, path, [&](const std::string&, const entry& e) {
    b.add(e);
    return !stop.stop_requested();
  });
  b.flush();
}

}  // namespace ferryfs::remote
