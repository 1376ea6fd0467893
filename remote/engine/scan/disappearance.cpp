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

constexpr std::int64_t never_too_much = 20;  // pictures: somebody tidied up
constexpr std::size_t entered_at_once = 500;

}  // namespace

void disappearance::begin() {
  const auto known = readers_.borrow()->totals().source().files;
  const std::lock_guard lock{mutex_};
  known_ = known;
}

void disappearance::add(const std::vector<inode>& gone) {
  const auto reader = readers_.borrow();
  const std::lock_guard lock{mutex_};
  for (const inode ino : gone) {
    if (is_too_much()) return;
    const auto too_many = std::max(never_too_much, known_ * static_cast<std::int64_t>(belief_.percent) / 100 + 1);
    if (!belief_.all) lost_ += pictures_below(*reader, ino, too_many);
    gone_.push_back(ino);
  }
}

void disappearance::set_empty() {
  const std::lock_guard lock{mutex_};
  empty_ = true;
}

bool disappearance::is_empty() {
  const std::lock_guard lock{mutex_};
  return empty_;
}

// Those that the source had; no more than `enough` are counted.
std::int64_t disappearance::pictures_below(index::reader& r, inode ino, std::int64_t enough) const {
  std::int64_t pictures = 0;
  std::vector<inode> directories;
  const auto count = [&](entry&& e) {
    if (!e.source || e.origin || is_away(e.state) || index::has_left(e)) return true;
    if (!S_ISDIR(e.source->mode)) return ++pictures < enough;
    // What a directory that was renamed here holds hangs on the entry that has its new name.
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

// mutex_ is held.
bool disappearance::is_too_much() const {
  if (belief_.all) return false;
  return lost_ >= never_too_much && lost_ * 100 > known_ * static_cast<std::int64_t>(belief_.percent);
}

std::string disappearance::doubt() {
  constexpr const char* remedy =
      "nothing is taken away; mount its disk, or say that it is meant: ferryfs scan --believe";
  const std::lock_guard lock{mutex_};
  if (belief_.all) return "";
  if (empty_ && belief_.empty) return "";
  if (empty_ && known_ == 0) return fmt::format("the source shows nothing at all: {}", remedy);
  if (empty_) return fmt::format("the source shows nothing at all, and had {} pictures: {}", known_, remedy);
  if (belief_.other_file_system && !gone_.empty())
    return fmt::format("another disk is mounted at the source, without pictures that were there: {}", remedy);
  if (!is_too_much()) return "";
  return fmt::format("{} or more of the source's {} pictures are gone at once: {}", lost_, known_, remedy);
}

void disappearance::enter(index::writer& index, std::function<void(std::exception_ptr)> done) {
  std::vector<inode> gone;
  {
    const std::lock_guard lock{mutex_};
    gone = std::move(gone_);
  }
  const auto all = std::make_shared<const std::vector<inode>>(std::move(gone));
  const auto problem = std::make_shared<std::exception_ptr>();
  for (std::size_t from = 0; from < all->size(); from += entered_at_once)
    index.post(
        [all, from](index::transaction& t) {
          const auto some = std::span{*all}.subspan(from, std::min(entered_at_once, all->size() - from));
          for (const inode ino : some) index::remove_from_source(t, ino);
        },
        [problem](std::exception_ptr failed) {
          if (failed) *problem = failed;
        });
  index.post([](index::transaction&) {},
             [problem, done = std::move(done)](std::exception_ptr failed) { done(failed ? failed : *problem); });
}

}  // namespace ferryfs::remote
