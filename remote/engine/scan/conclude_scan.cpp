// The names that a scan finds gone, and its end, when all listings have ended: what is gone leaves the index if that is
// believed, and what is back returns to its place.
#include <utility>

#include "index/base/exception_barrier.hpp"
#include "index/update/away.hpp"
#include "remote/engine/scan/source_scan.hpp"

namespace ferryfs::remote {

void source_scan::set_empty() {
  const lock held{mutex_};
  gone_.set_empty();
}

// These are not there any more, with all that lies below them.
void source_scan::add_gone(const std::vector<inode>& gone) {
  const auto reader = needs_.readers.borrow();
  for (const inode ino : gone) {
    std::int64_t enough = 0;
    {
      const lock held{mutex_};
      if (gone_.is_too_much()) return;
      enough = gone_.most_counted();
    }
    const auto pictures = enough > 0 ? source_pictures_below(*reader, ino, enough) : 0;
    const lock held{mutex_};
    gone_.add(ino, pictures);
  }
}

// All listings have ended. Where the scan was cut short, the next one finds again what is gone.
void source_scan::conclude() {
  result r;
  std::vector<inode> gone;
  {
    const lock held{mutex_};
    if (!result_.cut_short) result_.suspicious = gone_.doubt();
    result_.empty = gone_.is_empty();
    r = result_;
    if (!r.cut_short && r.suspicious.empty()) gone = gone_.take();
  }
  if (r.cut_short || !r.suspicious.empty()) return needs_.on_finished(r);
  remove_from_source(needs_.index, std::move(gone), [self = shared_from_this()](std::exception_ptr thrown) {
    if (thrown) {
      const lock held{self->mutex_};
      self->disk_failed_ = true;
      self->result_.failures.push_back(
          failure_of(thrown, "what disappeared from the source is not entered in the index"));
    }
    if (contain("scan", [&] { self->bring_back(); })) self->needs_.on_finished(self->so_far());
  });
}

// A picture that was renamed here and is on the source again may have come before the directory that it belongs into in
// the view. This scan puts it there now, and lists the directories among such entries as well.
void source_scan::bring_back() {
  const auto back = std::make_shared<std::vector<index::subdirectory>>();
  bool whole = needs_.readers.borrow()->unlisted() == 0;
  {
    const lock held{mutex_};
    whole = whole && !disk_failed_;
  }
  needs_.index.post(
      [back, whole](index::transaction& t) {
        back->clear();
        for (const inode ino : index::bring_back_waiting(t, whole))
          if (auto path = index::source_path_of(t.name, ino))
            back->push_back({ino, *std::move(path), t.by_inode(ino)->source.value_or(file_facts{})});
      },
      [self = shared_from_this(), back](std::exception_ptr failed) {
        {
          const lock held{self->mutex_};
          if (failed)
            self->result_.failures.push_back(failure_of(failed, "what is back at the source is not in the index"));
          else if (!back->empty())
            self->finished_ = false, self->running_ = 1;  // this, until all are queued
        }
        if (failed || back->empty()) return self->needs_.on_finished(self->so_far());
        self->add_directories(*back);
        self->on_directory_done(root_inode, std::nullopt, false);
      });
}

}  // namespace ferryfs::remote
