// Which symbolic links of the source stand here as it has them, and which are refused: a link of the source must not
// lead out of the archive. A link that was made here is not judged.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "index/db/statements/links.hpp"
#include "index/db/statements/read.hpp"
#include "index/model/link_rules.hpp"
#include "index/model/link_target.hpp"

namespace ferryfs::index {

class transaction;

// A link whose target came from the source.
bool is_of_source(const entry& link) noexcept;

// Judges by the rows of one connection, a reader's or the writer's, and lives no longer than that.
class link_judge final : private link_tree {
 public:
  template <typename Rows>
  link_judge(Rows& rows, const link_rules& rules)
      : by_inode_(rows.by_inode), child_(rows.child), accepted_(rows.accepted_target), rules_(rules) {}

  // Why a link is refused, in words; empty: it is not.
  std::string objection(const entry& link);
  // The directory that was never listed and ended the way of the last link, if one did.
  std::optional<inode> unlisted() const noexcept { return unlisted_; }
  // The row as it is to be, if it is a link of the source and its state is to be another.
  std::optional<entry> judged(const entry& e);

 private:
  node child(inode directory, std::string_view name) override;
  std::optional<inode> parent(inode directory) override;

  find_inode& by_inode_;
  find_child& child_;
  find_accepted& accepted_;
  const link_rules& rules_;
  std::optional<inode> unlisted_;
};

// Judges a row as it stands now, and changes it accordingly.
void apply_link_rules(transaction& t, inode ino, const link_rules& rules);

// The operator takes a refused link over, as long as its target stays what it is. False: it is none.
bool apply_link_acceptance(transaction& t, inode ino);

}  // namespace ferryfs::index
