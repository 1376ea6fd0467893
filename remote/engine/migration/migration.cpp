#include "remote/engine/migration/migration.hpp"

#include <spdlog/spdlog.h>

#include "index/base/path.hpp"
#include "remote/destination/rename_recovery.hpp"

namespace ferryfs::remote {
namespace {

// Programs reach the archive under each of these roots.
index::link_rules rules_of(const settings& s, const destination& where) {
  index::link_rules rules{s.links, {where.path(), real_path(where.path())}};
  if (!s.mountpoint.empty()) rules.roots.push_back(s.mountpoint);
  return rules;
}

}  // namespace

migration::migration(const settings& s, const destination& where, std::unique_ptr<archive> source)
    : settings_(s),
      where_(where),
      links_(rules_of(s, where)),
      index_(where.index_path()),
      durable_(where, index_),
      readers_(where.index_path(), [this] { index_.commit_pending(); }),
      filter_(s.exclude, s.profile),
      source_(std::move(source)),
      fetch_(where, *source_, index_, readers_, limit_, s.min_free, s.quiet),
      replicate_({where, *source_, index_, readers_, fetch_, links_}, s.min_free),
      scanner_({where, *source_, index_, readers_, filter_, links_, fetch_.answers(), s.believe_loss,
                [this] { resume_replication(); }, [this] { replicate_.pause(); }, [this] { replicate_.recheck(); }}) {
  index_.on_rollback([this](const std::string& why) {
    spdlog::error("the last files made here are not in the index ({}); both sides are scanned again", why);
    scanner_.request_repair();
  });
  recover_renames(where_, index_);
  scanner_.restore();
  durable_.start();
  limit_.set(s.limit);
  // Last: the archive's threads call this, and a constructor that throws does not wait for them.
  source_->set_listener([this](const archive::health& h) {
    h.reachable ? spdlog::info("source is reachable again") : spdlog::warn("source is unreachable: {}", h.why);
    if (!h.reachable) return;
    replicate_.recheck();
    scanner_.set_source_back();
  });
}

migration::~migration() {
  stop();
  index_.drain();  // if held changes are lost, on_rollback is called while this still stands
}

void migration::set_open_files(const open_files_query& open) {
  index_.set_written_query(open.is_written);
  fetch_.watch(open);
}

void migration::start(work w) {
  work_ = w;
  scanner_.start(w.rescan ? std::optional(settings_.rescan) : std::nullopt);
}

void migration::stop() {
  scanner_.cancel();
  replicate_.pause();
  source_->stop();  // ends every request, and with them the scan and the fetches
  scanner_.join();
  replicate_.stop();  // before the last fetch has ended: it is called after each
  fetch_.drain();
}

// A pause holds the limiter first, and lasts over scans.
void migration::resume_replication() {
  if (!work_.replicate || !may_replicate() || limit_.holds()) return;
  replicate_.resume();
  if (limit_.holds()) replicate_.pause();  // it came between the two
}

}  // namespace ferryfs::remote
