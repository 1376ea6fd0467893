// Going into the background once the work stands.
#pragma once

#include <functional>

#include "index/base/error.hpp"

namespace ferryfs::fs {

// Forks before any thread is made. In the child, runs `work` with a call that tells the parent that it stands; the
// parent returns then, or with the child's exit code if the child ends first. The child's output until then reaches
// the user; afterwards its standard streams are closed.
exit_code run_in_background(const std::function<void(const std::function<void()>& stands)>& work);

}  // namespace ferryfs::fs
