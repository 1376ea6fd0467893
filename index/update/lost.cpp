#include "index/update/lost.hpp"

#include "index/base/clock.hpp"
#include "index/db/transaction.hpp"

namespace ferryfs::index {

void apply_loss(transaction& t, const entry& e) {
  const bool wanted = e.state == state::missing || e.state == state::failed;
  if (!wanted || e.local || !e.source || S_ISDIR(e.source->mode)) return;
  const auto path = t.path(e.ino);
  if (!path) return;
  t.add_lost({*path, e.source->size, e.source->mtime, wall_seconds()});
}

}  // namespace ferryfs::index
