// A file of the destination, read whole for its digest before it is sent.
#pragma once

#include <sys/stat.h>

#include <stop_token>
#include <string>

#include "index/model/entry.hpp"
#include "remote/destination/destination.hpp"

namespace ferryfs::remote {

// The file as it was when its digest was computed.
struct local_file {
  unique_fd file;
  struct stat as {};
  std::string sha256;
};

// Opens and reads it, so that it is in memory when it is sent. 0, or errno: EINVAL where it is no regular file,
// ECANCELED where a stop was asked for.
int read_local_file(const destination& where, const std::string& path, const std::stop_token& stop, local_file& into);

// The message for bytes that a digest has shown to be wrong: they must not replace the last good ones.
inline constexpr const char* spoilt_here =
    "its bytes here are not the ones that it should have; ferryfs resolve it first";
inline bool is_spoilt(const entry& e) noexcept { return e.state == state::conflict && e.reason == reason::spoilt; }

}  // namespace ferryfs::remote
