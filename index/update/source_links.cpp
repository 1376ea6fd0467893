#include "index/update/source_links.hpp"

#include <fmt/format.h>

#include "index/base/path.hpp"
#include "index/db/transaction.hpp"

namespace ferryfs::index {
namespace {

// The states that a link of the source is in before a decision about it.
bool is_to_be_judged(const entry& e) {
  if (!e.source || !S_ISLNK(e.source->mode) || !e.is_link()) return false;
  return e.state == state::missing || e.state == state::failed || e.state == state::common || e.state == state::refused;
}

entry not_refused(const entry& e) {
  entry after = e;
  after.forget_reason();
  after.state = state::missing;
  after.state = classify(after);
  return after;
}

std::string objection_to(leads where, const std::string& target) {
  switch (where) {
    case leads::outside:
      return fmt::format("leads out of the archive, to {}", printable(target));
    case leads::unknown:
      return fmt::format("it can't be known where it leads: {}", printable(target));
    case leads::around:
      return fmt::format("leads through too many links: {}", printable(target));
    default:
      return "";
  }
}

}  // namespace

bool is_of_source(const entry& link) noexcept {
  if (is_hidden(link.state) || !link.is_link()) return false;
  return link.fetched || (link.state != state::added && link.state != state::conflict);
}

std::string link_judge::objection(const entry& link) {
  unlisted_.reset();
  if (rules_.policy == link_policy::all) return "";
  std::string why = "a symbolic link, and --links is none";
  if (rules_.policy == link_policy::inside)
    why = objection_to(follow(*this, link.parent, link.target, rules_.roots), link.target);
  return why.empty() || accepted_(link.ino) == link.target ? "" : why;
}

std::optional<entry> link_judge::judged(const entry& e) {
  if (!is_to_be_judged(e)) return std::nullopt;
  const std::string why = objection(e);
  if (why.empty()) return e.state == state::refused ? std::optional(not_refused(e)) : std::nullopt;
  if (e.state == state::refused && e.error == why) return std::nullopt;
  entry after = e;
  after.forget_reason();
  after.set_reason(reason::leads_out, why);
  after.state = state::refused;
  return after;
}

link_tree::node link_judge::child(inode directory, std::string_view name) {
  const auto e = child_(directory, name);
  if (!e) {
    const auto in = by_inode_(directory);
    if (!in || !in->never_listed()) return {};
    unlisted_ = directory;
    return {kind::unlisted, 0, ""};
  }
  if (e->is_directory()) return {kind::directory, e->ino, ""};
  if (e->is_link()) return {kind::link, 0, e->target};
  return {kind::file, 0, ""};
}

std::optional<inode> link_judge::parent(inode directory) {
  const auto e = by_inode_(directory);
  return e ? std::optional(e->parent) : std::nullopt;
}

void apply_link_rules(transaction& t, inode ino, const link_rules& rules) {
  const auto e = t.by_inode(ino);
  if (!e) return;
  link_judge judge{t, rules};
  if (const auto after = judge.judged(*e)) t.update(*e, *after);
}

bool apply_link_acceptance(transaction& t, inode ino) {
  const auto e = t.by_inode(ino);
  if (!e || e->state != state::refused || !e->is_link()) return false;
  t.decide("accepted-link", t.path(ino).value_or(""), e->target);
  t.promise(ino);
  t.accept_link(ino, e->target);
  t.update(*e, not_refused(*e));
  return true;
}

}  // namespace ferryfs::index
