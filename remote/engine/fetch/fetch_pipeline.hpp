// The way of a picture in flight from its request to its end: transferred, judged, looked at once more where it is
// young, committed or failed; then its readers are answered.
//
// Threads: the archive's threads request and bring the bytes; the write pool judges what came; the committer makes it
// local; the executor "answers", which holds no lock and which nothing else waits for, answers readers and callbacks,
// as those may take locks that others hold while they wait for the index's writer, and looks at young pictures again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "index/base/serial_executor.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/engine/fetch/committer.hpp"
#include "remote/engine/fetch/flight_table.hpp"
#include "remote/engine/fetch/picture_fetch.hpp"
#include "remote/engine/fetch/write_pool.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/quiescence.hpp"

namespace ferryfs::remote {

class fetch_pipeline {
 public:
  struct dependencies {
    const destination& where;
    archive& source;
    index::writer& index;
    index::readers& readers;
    flight_table& table;
  };
  fetch_pipeline(dependencies d, std::chrono::seconds quiet);

  // Set before the first fetch, as the next.
  void watch(const open_files_query& open) { committer_.watch(open); }
  void on_low_watermark(std::size_t low, std::function<void()> call);
  quiescence& file_quiescence() noexcept { return quiescence_; }
  write_pool& writers() noexcept { return writers_; }

  // Requests a picture that is in the table. Its fetch ends, also where the archive does not take it.
  void start(const std::shared_ptr<picture_fetch>& p, priority where);
  // Of a picture that the archive still has in its background queue.
  void promote(const std::shared_ptr<picture_fetch>& p) noexcept;
  // picture_fetch::dependencies::on_end.
  void on_transfer_end(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why,
                       const attributes& after);
  // Young pictures are looked at now, and not when they are due.
  void stop_waiting() { answers_.stop_waiting(); }
  // For callbacks of others that are like those of a fetch.
  serial_executor& answers() noexcept { return answers_; }

 private:
  void judge(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why, const attributes& after);
  bool is_awaited(picture_fetch& p);
  void look_for_size(const std::shared_ptr<picture_fetch>& p, const attributes& after);
  void complete(const std::shared_ptr<picture_fetch>& p, const attributes& after,
                const std::optional<attributes>& seen);
  void recheck_at(serial_executor::clock::time_point when, const std::shared_ptr<picture_fetch>& p,
                  const attributes& before);
  void commit(const std::shared_ptr<picture_fetch>& p);
  void on_committed(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why);
  void end_transfer() noexcept;
  void fail(const std::shared_ptr<picture_fetch>& p, const failure& why, const attributes& after) noexcept;
  void apply_fetch_failure(const std::shared_ptr<picture_fetch>& p, const failure& why, bool seen);
  void apply_change_while_fetched(const std::shared_ptr<picture_fetch>& p, const attributes& after);
  void post_end(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why);
  void end(const std::shared_ptr<picture_fetch>& p, const std::optional<failure>& why);

  const dependencies dependencies_;
  std::size_t low_watermark_ = 0;
  std::function<void()> on_low_watermark_;
  serial_executor answers_{"answers"};
  write_pool writers_;
  committer committer_;
  quiescence quiescence_;
};

}  // namespace ferryfs::remote
