"""What is here already, and what is uploaded: against the bare file system and mergerfs."""
import contextlib
import os
import random
import subprocess
import sys
import threading
import time

from .machine import FERRYFS, GONE, cpu_of, daemon_of, drop_caches, run, timed, wait_for
from .row import Row

STILL = ('--paused',)  # no replication beside it


def complete(bench, name):
    """A copy of an archive that has all of it, and three views of it."""
    source, copy = bench.archive(name), bench.fresh()
    run('cp', '-a', f'{source}/.', copy)
    bare = bench.fresh()
    run('cp', '-a', f'{source}/.', bare)
    view = bench.mount(source, copy)
    run('find', view, '-size', '+0')
    merged = bench.mounted('mergerfs', '-o', 'cache.files=partial,dropcacheonclose=false', bare)
    return [('ferryfs', view), ('ext4', bare), ('mergerfs', merged)]


def read_all(path):
    return timed('sh', '-c', f'find {path} -type f -print0 | xargs -0 cat >/dev/null')


def reading(cold):
    def sides(bench):
        def one(path):
            drop_caches() if cold else read_all(path)
            return read_all(path)
        return [(name, lambda p=path: one(p)) for name, path in complete(bench, 'large')]
    return sides


def readers(bench):
    def one(path):
        files = [os.path.join(d, f) for d, _, names in os.walk(path) for f in names]

        def read(seed):
            order = random.Random(seed)
            for _ in range(60):
                with open(order.choice(files), 'rb') as f:
                    while f.read(1 << 20):
                        pass
        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
        begun = time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return time.monotonic() - begun
    return [(name, lambda p=path: one(p)) for name, path in complete(bench, 'large')]


def looking(command, first):
    def sides(bench):
        source = bench.archive('small')
        copy, bare = bench.fresh(), bench.fresh()
        for to in copy, bare:
            run('cp', '-a', f'{source}/.', to)
        run('sync')

        def ours():
            with bench.for_a_while(bench.mount(source, copy, *STILL)) as view:
                run(FERRYFS, 'scan', view)
                drop_caches() if first else run(*command(view))
                return timed(*command(view))

        def theirs():
            drop_caches() if first else run(*command(bare))
            return timed(*command(bare))
        return [('ferryfs', ours), ('ext4', theirs)]
    return sides


def uploading(pictures, size):
    def sides(bench):
        data = os.urandom(size)

        def write(path):
            begun = time.monotonic()
            for number in range(pictures // bench.part):
                with open(f'{path}/{number}.jpg', 'wb') as f:
                    f.write(data)
            return time.monotonic() - begun

        def ours():
            with bench.for_a_while(bench.mount(empty, bench.fresh(), *STILL)) as view:
                return write(view)

        def merged():
            with bench.for_a_while(bench.mounted('mergerfs', bench.fresh())) as view:
                return write(view)
        empty = bench.fresh()
        return [('ferryfs', ours), ('ext4', lambda: write(bench.fresh())), ('mergerfs', merged)]
    return sides


def mounting(bench):
    to = bench.million()

    def ours():
        drop_caches()
        begun = time.monotonic()
        with bench.for_a_while(bench.mount(GONE, to)) as view:
            run('ls', view)
            return time.monotonic() - begun
    return [('ferryfs', ours)]


def opening_beside(bench):
    """The slowest but 1 % of 4,000 opens of pictures that are here, while others are replicated."""
    source, to = bench.archive('small'), bench.fresh()
    names = [f'here/{n}.jpg' for n in range(200)]
    os.mkdir(f'{to}/here')
    for name in names:
        with open(f'{to}/{name}', 'wb') as f:
            f.write(b'x' * 16384)

    def ours():
        copy = bench.fresh()
        run('cp', '-a', f'{to}/.', copy)
        with bench.for_a_while(bench.mount(bench.url(source), copy)) as view:
            wait_for(lambda: os.path.exists(f'{view}/{names[-1]}'), 20, 'the destination to be scanned')
            times = []
            for n in range(4_000 // bench.part):
                begun = time.monotonic()
                os.close(os.open(f'{view}/{names[n % len(names)]}', os.O_RDONLY))
                times.append(time.monotonic() - begun)
                time.sleep(0.001)
            return sorted(times)[len(times) * 99 // 100]
    return [('ferryfs', ours)]


UPLOADERS = """
import os, sys, threading
def upload(number):
    data, directory = os.urandom(100_000), f'{sys.argv[1]}/uploads-{number}'
    os.mkdir(directory)
    for n in range(1_000_000):
        with open(f'{directory}/{n}.jpg', 'wb') as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
for number in range(10):
    threading.Thread(target=upload, args=(number,), daemon=True).start()
print('begun', flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def uploaders(path):
    """Ten that write one picture after the other, and sync each."""
    them = subprocess.Popen([sys.executable, '-c', UPLOADERS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    them.stdout.readline()
    yield
    them.kill()
    them.wait()


def listing_beside(bench):
    """The slowest but 1 % of 1,000 `ls -l` of days, beside ten uploaders and a first scan of 50,000 names."""
    source = bench.archive('small')
    days = sorted(os.path.relpath(d, source) for d, below, names in os.walk(source) if names and not below)

    def slowest(path):
        times = [timed('ls', '-l', f'{path}/{days[n % len(days)]}') for n in range(1_000 // min(bench.part, 10))]
        return sorted(times)[len(times) * 99 // 100]

    def add_names(path):
        for number in range(10):
            os.mkdir(f'{path}/added-{number}')
            for n in range(5_000 // bench.part):
                open(f'{path}/added-{number}/{n}.jpg', 'wb').close()

    def ours():
        copy = bench.fresh()
        run('cp', '-a', f'{source}/.', copy)
        with bench.for_a_while(bench.mount(source, copy, *STILL)) as view:
            run(FERRYFS, 'scan', view)
        add_names(copy)
        with bench.for_a_while(bench.mount(source, copy, *STILL)) as view, uploaders(view):
            return slowest(view)

    def theirs():
        bare = bench.fresh()
        run('cp', '-a', f'{source}/.', bare)
        add_names(bare)
        with uploaders(bare), subprocess.Popen(['find', bare, '-size', '+0'], stdout=subprocess.DEVNULL):
            return slowest(bare)
    return [('ferryfs', ours), ('ext4', theirs)]


def idling(bench):
    """Processor time of a complete mount in a minute in which nobody asks anything."""
    source = bench.archive('large')

    def ours():
        to = bench.fresh()
        run('cp', '-a', f'{source}/.', to)
        with bench.for_a_while(bench.mount(bench.url(source), to)) as view:
            run(FERRYFS, 'scan', view)
            pid = daemon_of(view)
            time.sleep(2)
            before = cpu_of(pid)
            time.sleep(60 / bench.part)
            return cpu_of(pid) - before
    return [('ferryfs', ours)]


def find(path):
    return ('find', path, '-size', '+0')


def du(path):
    return ('du', '-bs', path)


ROWS = [
    Row('read-cold', 'read 1 GB of local 3.4 MB pictures, cold', '≤ 1.05 ext4, ≤ 0.6 mergerfs', reading(True)),
    Row('read-warm', 'the same, warm', '≤ 1.25 ext4, ≤ 0.6 mergerfs', reading(False)),
    Row('read-8', '8 readers of random local pictures', '≤ 1.2 ext4', readers),
    Row('find-first', '`find -size` over 58,343, first', '≤ 2.5 ext4', looking(find, True)),
    Row('find-again', '`find -size` over 58,343, again', '≤ 1.0 ext4', looking(find, False)),
    Row('du-first', '`du -b` over 58,343, first', '≤ 2.5 ext4', looking(du, True)),
    Row('du-again', '`du -b` over 58,343, again', '≤ 1.0 ext4', looking(du, False)),
    Row('upload-small', 'upload 10,000 × 100 KB into the mount', '≤ 0.8 mergerfs, ≤ 2.5 ext4', uploading(10_000, 100_000)),
    Row('upload-large', 'upload 300 × 3.4 MB into the mount', '≤ 1.3 ext4', uploading(300, 3_400_000)),
    Row('mount-million', 'mount of a known archive of 1 M pictures to first `ls`', '< 0.5 s', mounting),
    Row('open-beside', 'open of a local picture while others are replicated, 99 %', '≤ 0.002 s', opening_beside),
    Row('ls-beside', '`ls -l` of a day beside ten uploads with fsync and a first scan of 50,000 names, 99 %', '≤ 3 ext4',
        listing_beside),
    Row('idle', 'processor time of an idle mount in a minute', '< 0.06 s', idling),
]
