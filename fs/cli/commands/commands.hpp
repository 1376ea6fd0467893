// The commands. Each returns the exit code; what ends it early is thrown as ferryfs::error.
#pragma once

#include "fs/cli/arguments.hpp"
#include "index/base/error.hpp"

namespace ferryfs::fs {

exit_code run_mount(const arguments& a);
exit_code run_sync(const arguments& a);
exit_code run_scan(const arguments& a);
exit_code run_status(const arguments& a);
exit_code run_report(const arguments& a);
exit_code run_fetch(const arguments& a);
exit_code run_push(const arguments& a);
exit_code run_skip(const arguments& a);
exit_code run_undelete(const arguments& a);
exit_code run_resolve(const arguments& a);
exit_code run_ready(const arguments& a);
exit_code run_verify(const arguments& a);
exit_code run_log(const arguments& a);
exit_code run_ctl(const arguments& a);

}  // namespace ferryfs::fs
