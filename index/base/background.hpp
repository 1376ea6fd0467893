// Threads that nobody waits for.
#pragma once

namespace ferryfs::remote {

// The calling thread gets the same share of the processors in longer turns, and so later ones: a thread with short
// turns, as all have by default, that wakes up goes before it (sched(7), "EEVDF"; as of Linux 6.12, before that
// nothing).
void take_long_turns() noexcept;

}  // namespace ferryfs::remote
