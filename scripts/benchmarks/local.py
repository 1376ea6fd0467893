"""What is here already, and what is uploaded: against the bare file system and mergerfs."""
import os
import random
import threading
import time

from .machine import FERRYFS, drop_caches, run, timed
from .row import Row

STILL = ('--min-free', '1000T')  # no replication beside it


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
]
