// Pictures whose time, and not whose size, became another on the source (touch -r, a clock set for summer): a digest
// shows whether their bytes did, and nothing is copied for a time alone.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class time_difference_resolver {
 public:
  time_difference_resolver(const destination& where, archive& source, index::writer& index)
      : where_(where), source_(source), index_(index) {}

  // Asks for the digest of `e`, which awaits_digest and has `path` on the source. `call` is called once, on one of the
  // archive's threads: whether the bytes are the same, or why that can't be told.
  void ask(const entry& e, const std::string& path,
           std::function<void(const std::optional<failure>& why, bool same)> call);
  // Gives the file here the source's time, where the bytes are the same; else it is to be fetched anew. Waits for jobs
  // of the index, and takes the namespace. False: the file or its row has become another. Throws what these throw.
  bool apply(const entry& e, bool same);

 private:
  bool take_time(const entry& e);

  const destination& where_;
  archive& source_;
  index::writer& index_;
};

}  // namespace ferryfs::remote
