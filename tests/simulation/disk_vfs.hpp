// SQLite's files by the calls of index/base/disk.hpp: the index lies on the same disk in memory as the pictures, and a
// power cut hits both alike. It takes the place of SQLite's own VFSs "unix" and "unix-excl", so that the program opens
// its databases through it without knowing. Locks and the WAL's shared memory are of this process alone, on the heap.
// Its time is that of index/base/clock.hpp, and its random bytes are the same after each reset.
#pragma once

namespace ferryfs::test {

// Before the first database is opened.
void install_disk_vfs();
// As a new process: nobody holds a lock, no memory is shared, and SQLite's random numbers begin anew. What was open is
// never used again, nor closed.
void reset_disk_vfs();

}  // namespace ferryfs::test
