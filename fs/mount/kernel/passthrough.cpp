#include "fs/mount/kernel/passthrough.hpp"

#include <spdlog/spdlog.h>

namespace ferryfs::fs {
namespace {

#if FUSE_USE_VERSION >= 317
bool asked(fuse_conn_info* conn) { return fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH); }
std::int32_t open_backing(fuse_req_t req, int fd) { return fuse_passthrough_open(req, fd); }
void close_backing(fuse_req_t req, std::int32_t id) { fuse_passthrough_close(req, id); }
void set_backing(fuse_file_info* fi, std::int32_t id) { fi->backing_id = id; }
#else  // a libfuse that does not know it
bool asked(fuse_conn_info*) { return false; }
std::int32_t open_backing(fuse_req_t, int) { return 0; }
void close_backing(fuse_req_t, std::int32_t) {}
void set_backing(fuse_file_info*, std::int32_t) {}
#endif

}  // namespace

void ask_for_passthrough(passthrough_table& table, fuse_conn_info* conn) {
  const bool works = !table.is_forbidden() && asked(conn);
  table.allow(works);
  spdlog::debug("passthrough: {}", works ? "on" : "off");
}

backing_files backing_by(fuse_req_t req) {
  return {[req](int fd) { return open_backing(req, fd); },
          [req](std::int32_t id) {
            if (req != nullptr) close_backing(req, id);
          }};
}

void tell_mode(fuse_file_info* fi, const open_mode& mode) {
  if (mode.backing != 0) set_backing(fi, mode.backing);
  fi->keep_cache = mode.keeps_cache ? 1 : 0;
  fi->direct_io = mode.is_direct ? 1 : 0;
  fi->noflush = mode.has_no_flush ? 1 : 0;
}

}  // namespace ferryfs::fs
