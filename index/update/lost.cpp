#include "index/update/lost.hpp"

#include <chrono>

#include "index/db/transaction.hpp"

namespace ferryfs::index {

void record_loss(transaction& t, const entry& e) {
  const bool wanted = e.state == state::missing || e.state == state::failed;
  if (!wanted || e.local || !e.source || S_ISDIR(e.source->mode)) return;
  const auto path = t.path(e.ino);
  if (!path) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  t.lose({*path, e.source->size, e.source->mtime, std::chrono::duration_cast<std::chrono::seconds>(now).count()});
}

}  // namespace ferryfs::index
