"""What grows with an archive's size: an index of 10 k to 10 M missing pictures whose old server is away, mounted and asked."""
import os
import statistics
import subprocess
import time

from .machine import FERRYFS, GONE, daemon_of, drop_caches, index_of, run, timed, wait_for

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def memory_of(view):
    with open(f'/proc/{daemon_of(view)}/status') as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmHWM')) / 1024


def median(times, run_once):
    return statistics.median(run_once() for _ in range(times))


def measure(bench, pictures):
    """One line of the table, by name."""
    to = bench.fresh()
    line = index_of(to, pictures)
    run('sync')
    drop_caches()
    begun = time.monotonic()
    view = bench.mount(GONE, to)
    run('ls', view)
    line['mount_s'] = time.monotonic() - begun
    line['status_ms'] = 1e3 * median(20, lambda: timed(FERRYFS, 'status', '--json', view, ok=(1,)))
    day = f'{view}/pictures/{sorted(os.listdir(f"{view}/pictures"))[-2]}'
    line['ls_ms'] = 1e3 * timed('ls', '-l', day)
    line['memory_mb'] = memory_of(view)
    subprocess.run(['umount', view], check=True)
    bench.mounts.remove(view)
    wait_for(lambda: not os.path.exists(f'{to}/.ferryfs/index.db-shm'), 20, 'the end of ferryfs')
    line['report_s'] = timed(FERRYFS, 'report', to, '--new')
    bench.clean()
    return line


def table(bench, sizes):
    yield '| pictures | mount and `ls` | lookup | by inode | next 1,000 to fetch | totals | status | `ls -l` of a day | memory | index a picture | `report --new` |'
    yield '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |'
    for pictures in sizes:
        n = measure(bench, pictures)
        yield (f'| {pictures:,} | {n["mount_s"]:.2f} s | {n["lookup_us"]:.1f} µs | {n["inode_us"]:.1f} µs | {n["gaps_ms"]:.2f} ms '
               f'| {n["totals_us"]:.0f} µs | {n["status_ms"]:.0f} ms | {n["ls_ms"]:.0f} ms | {n["memory_mb"]:.0f} MB '
               f'| {n["bytes"]:.0f} bytes | {n["report_s"]:.2f} s |')
