// Pictures whose time, and not whose size, became another on the source (touch -r, a clock set for summer): a digest
// shows whether their bytes did, and nothing is copied for a time alone.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "index/base/serial_executor.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class time_difference_resolver {
 public:
  time_difference_resolver(const destination& where, archive& source, index::writer& index)
      : where_(where), source_(source), index_(index) {}

  // Asks for the digest of `e`, which awaits_digest() and has `path` on the source. `call` is called once, on any
  // thread: the file here has the source's time, or is to be fetched anew; or why that can't be found out.
  void decide(const entry& e, const std::string& path, std::function<void(const std::optional<failure>&)> call);

 private:
  void take_time(const entry& e);

  const destination& where_;
  archive& source_;
  index::writer& index_;
  serial_executor later_{"time differences"};
};

}  // namespace ferryfs::remote
