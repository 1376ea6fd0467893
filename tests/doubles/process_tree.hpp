// Processes that are not our children: who descends from whom, and who bears a mark.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace ferryfs::test {

// The state letter of proc(5), 0 where there is no such process.
char state_of(pid_t pid);

// True for a process that was sent SIGKILL and can't end yet, because one of its threads waits in the kernel for a file
// system that has its request and does not answer.
bool is_dying(pid_t pid);

std::vector<pid_t> children_of(pid_t pid);

// Children, their children and so on, parents first; zombies are left out.
std::vector<pid_t> descendants_of(pid_t pid);

// The live processes that were started with `variable` ("NAME=value") in their environment: they are found even after a
// double fork.
std::vector<pid_t> bearing(std::string_view variable);

// "123 ferryfs mount ...", for a message.
std::string described(pid_t pid);

// Stops the process and all that descends from it, parents first so that none forks away; returns when all stand.
std::vector<pid_t> freeze_tree(pid_t pid);

// SIGKILL to the process and all that descends from it.
void kill_tree(pid_t pid);

}  // namespace ferryfs::test
