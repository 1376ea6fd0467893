// Requests of FUSE and their answers, as view/ and change/ take and give them.
#pragma once

#include <fuse_lowlevel.h>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/view/answers.hpp"

namespace ferryfs::fs {

// Inode 0: a name that is not there, to be remembered as such.
inline fuse_entry_param parameters_of(inode ino, const kernel_attributes& attributes) {
  fuse_entry_param p{};
  p.ino = ino;
  p.attr = attributes.st;
  p.attr_timeout = attributes.timeout;
  p.entry_timeout = cache_time;
  return p;
}

inline void reply_entry(fuse_req_t req, const shown_entry& e) {
  const auto p = parameters_of(e.ino, e.attributes);
  fuse_reply_entry(req, &p);
}

inline void reply_attributes(fuse_req_t req, const kernel_attributes& attributes) {
  fuse_reply_attr(req, &attributes.st, attributes.timeout);
}

// The process that asks.
inline caller caller_of(fuse_req_t req) {
  const fuse_ctx* who = fuse_req_ctx(req);
  return {who->uid, who->gid};
}

}  // namespace ferryfs::fs
