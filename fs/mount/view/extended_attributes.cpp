// Extended attributes: user.ferryfs.*, which the index answers and nobody sets, and those of the destination's own
// file; what is missing has none. user.ferryfs.* is not listed, so that tar, cp and rsync do not carry it away.
#include <linux/limits.h>

#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/answers.hpp"
#include "fs/mount/view/local_file.hpp"
#include "index/base/hex.hpp"
#include "remote/files/beneath.hpp"

namespace ferryfs::fs {
namespace {

std::string own_value(merged_tree& tree, inode ino, std::string_view name) {
  const auto e = tree.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (name == "state") {
    if (e->state == state::conflict) return "conflict";
    if (!e->is_gap()) return "local";
    return tree.archive.fetch().is_fetching(e->ino) ? "fetching" : "remote";
  }
  if (name != "sha256" || e->sha256.empty() || e->is_gap()) throw answer_errno{ENODATA};
  return to_hex(e->sha256);
}

}  // namespace

// Not system.*: the kernel would not go by the ACLs that it holds.
bool is_passed_on(std::string_view name) {
  return name.starts_with("user.") || name.starts_with("trusted.") || name.starts_with("security.");
}

extended_attribute extended_attribute_of(merged_tree& tree, inode ino, const char* name, std::size_t size) {
  const std::string_view asked = name;
  if (!is_passed_on(asked)) throw answer_errno{EOPNOTSUPP};
  if (asked.starts_with(own_attributes)) {
    std::string value = own_value(tree, ino, asked.substr(own_attributes.size()));
    const std::size_t length = value.size();
    if (size == 0) return {length, ""};
    if (size < length) throw answer_errno{ERANGE};
    return {length, std::move(value)};
  }
  const auto file = find_local(tree, ino);
  if (!file) throw answer_errno{ENODATA};
  std::string value(size, '\0');
  const auto length = disk().getxattr(proc_path(file->get()).c_str(), name, value.data(), size);
  if (length < 0) throw answer_errno{errno};
  if (size != 0) value.resize(static_cast<std::size_t>(length));
  return {static_cast<std::size_t>(length), std::move(value)};
}

std::string extended_attribute_names(merged_tree& tree, inode ino, bool privileged) {
  const auto file = find_local(tree, ino);
  if (!file) return "";
  std::string all(XATTR_LIST_MAX, '\0');
  const auto size = disk().listxattr(proc_path(file->get()).c_str(), all.data(), all.size());
  if (size < 0) throw answer_errno{errno};
  all.resize(static_cast<std::size_t>(size));
  std::string names;
  for (std::size_t from = 0; from < all.size();) {
    const std::string_view name{all.c_str() + from};
    from += name.size() + 1;
    const bool secret = name.starts_with("trusted.") && !privileged;
    if (is_passed_on(name) && !name.starts_with(own_attributes) && !secret) names.append(name).push_back('\0');
  }
  return names;
}

}  // namespace ferryfs::fs
