// Symbolic links: one of the source is judged whenever somebody follows it, as any change in the tree may be on its
// way.
#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/answers.hpp"
#include "index/update/source_links.hpp"

namespace ferryfs::fs {

link_judgement judge_link(merged_tree& tree, inode ino) {
  const auto reader = tree.archive.readers().borrow();
  const auto frozen = reader->freeze();
  auto e = reader->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (!e->is_link()) throw answer_errno{EINVAL};
  link_judgement j{*std::move(e), false, {}};
  if (!index::is_of_source(j.link)) return j;
  index::link_judge of_rows{*reader, tree.archive.links()};
  j.refused = !of_rows.objection(j.link).empty();
  j.unlisted = of_rows.unlisted();
  return j;
}

}  // namespace ferryfs::fs
