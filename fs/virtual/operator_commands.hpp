// The commands that the operator decides by, as a mounted archive answers them through .ferryfs/control and an
// unmounted one by itself. Each blocks until it is done.
#pragma once

#include <stop_token>
#include <string>

#include "fs/process/command_result.hpp"
#include "remote/engine/decide/resolve.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/verify/verifier.hpp"

namespace ferryfs::fs {

command_result fetch_now(remote::migration& m, const std::string& path, const std::stop_token& stop);
// Takes back what was deleted at or below `path`.
command_result undelete(remote::migration& m, const std::string& path, const std::stop_token& stop);
// The first line says what was done, further ones what was not.
command_result skip(remote::migration& m, const std::string& path, const std::stop_token& stop);
command_result resolve(remote::migration& m, const std::string& path, remote::keep what,
                       const remote::open_files_query& open, const std::stop_token& stop);
// Lines for people, or one JSON object. Looks itself. `progress`: of the digests.
command_result ready(remote::migration& m, const remote::open_files_query& open, bool as_json,
                     remote::verify_progress& progress, const std::stop_token& stop);
// Judges by the index alone, and says that this is not a verdict.
command_result ready_quickly(remote::migration& m, const remote::open_files_query& open, bool as_json);
command_result verify(remote::migration& m, const std::string& path, bool with_source,
                      remote::verify_progress& progress, const std::stop_token& stop);
// How far that is, for people; empty while none runs.
std::string verify_line(const remote::verify_progress& progress);

}  // namespace ferryfs::fs
