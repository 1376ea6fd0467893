#include "index/db/reader.hpp"

#include "index/db/path_walk.hpp"
#include "index/db/schema.hpp"

namespace ferryfs::index {
namespace {

SQLite::Database open_for_reading(const std::string& path, void (*require)(SQLite::Database&)) {
  auto database = open_database(path, access::read_only);
  require(database);
  return database;
}

}  // namespace

reader::reader(const std::string& path)
    : database_(open_for_reading(path, require_current)),
      by_inode(database_),
      child(database_),
      hidden_child(database_, 1),
      by_origin(database_),
      name(database_),
      children(database_),
      hidden_children(database_, 1),
      subdirectories(database_),
      gaps(database_),
      failures(database_),
      has_changing(database_),
      some(database_),
      uncompared(database_),
      unlisted(database_),
      unlisted_directories(database_),
      why_unlisted(database_),
      meta(database_),
      lost_totals(database_),
      lost_pictures(database_),
      refused_names(database_),
      refusals(database_),
      list_rows(database_),
      directory_list_rows(database_, "AND directory = 1"),
      count_in(database_),
      sizes(database_),
      worst(database_),
      last_inode(database_),
      links(database_),
      accepted_target(database_),
      begin_(database_, "BEGIN"),
      end_(database_, "COMMIT") {}

reader::snapshot::snapshot(reader& of) : of_(of) {
  const statement_scope scope{of_.begin_};
  of_.begin_.exec();
}

reader::snapshot::~snapshot() {
  const statement_scope scope{of_.end_};
  of_.end_.tryExecuteStep();
}

std::optional<entry> reader::at(std::string_view path) { return find_entry(*this, path); }

readers::lease readers::borrow() {
  if (before_) before_();
  {
    const lock held{mutex_};
    if (!idle_.empty()) {
      auto* r = idle_.back().release();
      idle_.pop_back();
      return lease{r, giver{this}};
    }
  }
  return lease{new reader{path_}, giver{this}};
}

void readers::give_back(reader* r) noexcept {
  const lock held{mutex_};
  idle_.emplace_back(r);
}

about_index::about_index(const std::string& path) : database_(open_for_reading(path, refuse_newer)), meta(database_) {}

}  // namespace ferryfs::index
