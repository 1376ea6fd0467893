"""What is on the old server: looking, scanning, replicating, opening; against sshfs, ssh and rsync."""
import json
import os
import time

from .local import STILL, find
from .machine import FERRYFS, drop_caches, run, timed, wait_for
from .row import Row


def sshfs(bench, source, far):
    options = bench.ssh(far).split()[1:]
    return bench.mounted('sshfs', f'root@127.0.0.1:{source}', *options)


def known(bench, source, far):
    """A destination that knows all of the source and has nothing of it."""
    to = bench.fresh()
    with bench.for_a_while(bench.mount(bench.url(source, far), to, *STILL)) as view:
        run(FERRYFS, 'scan', view)
    return to


def looking(bench):
    source = bench.archive('small')
    to = known(bench, source, True)

    def ours():
        with bench.for_a_while(bench.mount(bench.url(source, True), to, *STILL)) as view:
            return timed(*find(view))

    def theirs():
        with bench.for_a_while(sshfs(bench, source, True)) as view:
            return timed(*find(view))
    return [('ferryfs', ours), ('sshfs', theirs)]


def scanned(view):
    """Whether the first scan of a mount is in its index."""
    with open(f'{view}/.ferryfs/status.json') as f:
        source = json.load(f)['source']
    return source['last_scan'] is not None and not source['scanning']


def scanning(far):
    def sides(bench):
        source = bench.archive('small')

        def ours():
            to = bench.fresh()
            begun = time.monotonic()
            at = bench.mount(bench.url(source, far), to, *STILL)
            wait_for(lambda: scanned(at), 60, 'the first scan')
            taken = time.monotonic() - begun
            run('umount', at)
            bench.mounts.remove(at)
            return taken
        return [('ferryfs', ours),
                ('ssh find', lambda: timed(*bench.ssh(far).split(), 'root@127.0.0.1',
                                           f"find {source} -printf '%y %s %T@ %m %P\\n'"))]
    return sides


def rescanning(far, *command):
    def sides(bench):
        source = bench.archive('small')
        ours_at, theirs_at = bench.fresh(), bench.fresh()
        for to in ours_at, theirs_at:
            run('cp', '-a', f'{source}/.', to)
        view = bench.mount(bench.url(source, far), ours_at)
        run(FERRYFS, 'scan', view)

        def rsync():
            return timed('rsync', '-an', '-e', bench.ssh(far), f'root@127.0.0.1:{source}/', theirs_at)
        return [('ferryfs', lambda: timed(FERRYFS, 'ctl', view, *command)), ('rsync -an', rsync)]
    return sides


def replicating(name, far):
    def sides(bench):
        source = bench.archive(name)

        def warm():
            """Nothing is cached but the source."""
            drop_caches()
            run('sh', '-c', f'find {source} -type f -print0 | xargs -0 cat >/dev/null')

        def ours():
            warm()
            return timed(FERRYFS, 'sync', bench.url(source, far), bench.fresh(), *bench.keys())

        def theirs():
            warm()
            return timed('rsync', '-a', '-e', bench.ssh(far), f'root@127.0.0.1:{source}/', bench.fresh())
        def rclone():
            warm()
            return timed('rclone', 'copy', '--config', '', '--transfers', '8', bench.rclone(source, far), bench.fresh())
        # rclone waits for each of its eight files: a quarter of an hour a round for the small ones at 50 ms.
        return [('ferryfs', ours), ('rsync', theirs)] + ([] if far and name == 'small' else [('rclone', rclone)])
    return sides


def opening(length):
    def sides(bench):
        source = bench.archive('large')
        pictures = sorted(os.path.join(d, f)[len(source) + 1:] for d, _, names in os.walk(source) for f in names)
        view = bench.mount(bench.url(source, True), known(bench, source, True), *STILL)
        other = sshfs(bench, source, True)
        third = bench.mounted('rclone', 'mount', '--config', '', '--daemon', bench.rclone(source, True))
        for at in other, third:
            run('ls', '-R', at)
        turns = {name: iter(pictures[n::3]) for n, name in enumerate(('ferryfs', 'sshfs', 'rclone'))}

        def one(name, root):
            path = f'{root}/{next(turns[name])}'
            begun = time.monotonic()
            with open(path, 'rb', buffering=0) as f:
                left = length
                while left > 0 and (got := f.read(min(left, 1 << 16))):
                    left -= len(got)
            return time.monotonic() - begun
        return [('ferryfs', lambda: one('ferryfs', view)), ('sshfs', lambda: one('sshfs', other)),
                ('rclone', lambda: one('rclone', third))]
    return sides


WHOLE = 1 << 40
RESCAN = 'the periodic rescan (looks at directories alone; rsync at every picture)'
ROWS = [
    Row('find-far', '`find -size` over 58,343, nothing local, source 50 ms away', '≤ 0.01 sshfs', looking),
    Row('scan-near', 'first scan of 58,343', '≤ 1.5', scanning(False)),
    Row('scan-far', 'first scan of 58,343 at 50 ms', '≤ 1.5', scanning(True)),
    Row('rescan-near', f'nothing changed, {RESCAN}', '≤ 0.15', rescanning(False, 'rescan', 'changed')),
    Row('rescan-far', f'nothing changed, {RESCAN}, at 50 ms', '≤ 0.1', rescanning(True, 'rescan', 'changed')),
    Row('rescan-all-near', 'nothing changed, a full scan again', '', rescanning(False, 'rescan')),
    Row('rescan-all-far', 'nothing changed, a full scan again at 50 ms', '', rescanning(True, 'rescan')),
    Row('copy-small-near', 'replicate 58,343 × 16 KB', '≤ 0.65', replicating('small', False)),
    Row('copy-small-far', 'replicate 58,343 × 16 KB at 50 ms', '≤ 0.25', replicating('small', True)),
    Row('copy-large-near', 'replicate 300 × 3.4 MB', '≤ 1.0', replicating('large', False)),
    Row('copy-large-far', 'replicate 300 × 3.4 MB at 50 ms', '≤ 0.25', replicating('large', True)),
    Row('open-first', 'first 64 KiB of a missing picture at 50 ms', '≤ 0.75', opening(1 << 16)),
    Row('open-whole', 'all of a missing picture at 50 ms', '≤ 0.45', opening(WHOLE)),
]
