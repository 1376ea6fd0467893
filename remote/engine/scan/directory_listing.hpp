// One directory's listing of the source on its way into the index: its batches are merged as they come; the source is
// asked about each name that it lacked before that name counts as gone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "index/update/merge.hpp"
#include "index/update/refused_names.hpp"
#include "remote/engine/scan/absence_check.hpp"
#include "remote/engine/scan/source_scan.hpp"

namespace ferryfs::remote {

// Threads: the archive calls batch, refused and finished in turn; the index's writer runs the jobs. Neither waits for
// the other; the writer sees what the archive's thread wrote before it posted the job.
class source_scan::directory_listing final : public listing, public std::enable_shared_from_this<directory_listing> {
 public:
  directory_listing(std::shared_ptr<source_scan> scan, directory d);

  // listing
  void batch(std::vector<directory_entry> names) override;
  void refused(std::string name, std::string why) override;
  void finished(const std::optional<failure>& why) override;

 private:
  // Why the index did not take some of it. The writer's thread alone touches it.
  struct index_failure {
    std::string text;
    void set(const std::exception_ptr& e);
  };

  void merge_end();
  void on_absence_checked(const absence_check::result& r);
  void enter(index::transaction& t, bool all_named) const;
  void on_entered(const std::exception_ptr& failed) const;
  void give_up(const failure& why);

  std::shared_ptr<source_scan> scan_;
  directory directory_;
  std::shared_ptr<index::listing_merge> merge_;
  std::shared_ptr<std::vector<index::refused_name>> refused_ = std::make_shared<std::vector<index::refused_name>>();
  std::shared_ptr<index_failure> failure_ = std::make_shared<index_failure>();
  bool has_names_ = false;  // the listing held a name
};

}  // namespace ferryfs::remote
