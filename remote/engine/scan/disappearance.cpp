#include "remote/engine/scan/disappearance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

#include "index/update/away.hpp"
#include "index/update/merge.hpp"
#include "index/update/removal.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::int64_t never_too_much = 20;  // pictures: a person tidied up
constexpr std::size_t removed_at_once = 500;

}  // namespace

void disappearance::add(inode gone, std::int64_t pictures) {
  lost_ += pictures;
  gone_.push_back(gone);
}

std::int64_t disappearance::most_counted() const {
  if (belief_.all) return 0;
  return std::max(never_too_much, known_ * static_cast<std::int64_t>(belief_.percent) / 100 + 1);
}

bool disappearance::is_too_much() const {
  if (belief_.all) return false;
  return lost_ >= never_too_much && lost_ * 100 > known_ * static_cast<std::int64_t>(belief_.percent);
}

std::string disappearance::doubt() const {
  constexpr const char* remedy =
      "nothing counts as gone; mount the source's disk, or confirm the loss with ferryfs scan --believe";
  if (belief_.all) return "";
  if (empty_ && belief_.empty) return "";
  if (empty_ && known_ == 0) return fmt::format("the source is empty: {}", remedy);
  if (empty_) return fmt::format("the source is empty, and had {} pictures: {}", known_, remedy);
  if (belief_.other_file_system && !gone_.empty())
    return fmt::format("another disk is mounted at the source, without pictures that were there: {}", remedy);
  if (!is_too_much()) return "";
  return fmt::format("{} or more of the source's {} pictures are gone at once: {}", lost_, known_, remedy);
}

std::int64_t source_pictures_below(index::reader& r, inode ino, std::int64_t enough) {
  std::int64_t pictures = 0;
  std::vector<inode> directories;
  const auto count = [&](entry&& e) {
    if (!e.source || e.origin || is_away(e.state) || index::has_left(e)) return true;
    if (!S_ISDIR(e.source->mode)) return ++pictures < enough;
    // The children of a directory that was renamed here belong to the entry that has its new name.
    const auto renamed = e.state == state::moved ? r.by_origin(e.ino) : std::nullopt;
    directories.push_back(renamed ? renamed->ino : e.ino);
    return pictures < enough;
  };
  if (auto e = r.by_inode(ino)) count(std::move(*e));
  while (!directories.empty() && pictures < enough) {
    const inode directory = directories.back();
    directories.pop_back();
    r.children(directory, "", count);
    r.hidden_children(directory, "", count);
  }
  return pictures;
}

void remove_from_source(index::writer& index, std::vector<inode> gone, std::function<void(std::exception_ptr)> done) {
  const auto all = std::make_shared<const std::vector<inode>>(std::move(gone));
  const auto problem = std::make_shared<std::exception_ptr>();
  for (std::size_t from = 0; from < all->size(); from += removed_at_once)
    index.post(
        [all, from](index::transaction& t) {
          const auto some = std::span{*all}.subspan(from, std::min(removed_at_once, all->size() - from));
          for (const inode ino : some) index::remove_from_source(t, ino);
        },
        [problem](std::exception_ptr failed) {
          if (failed) *problem = failed;
        });
  index.post([](index::transaction&) {},
             [problem, done = std::move(done)](std::exception_ptr failed) { done(failed ? failed : *problem); });
}

}  // namespace ferryfs::remote
