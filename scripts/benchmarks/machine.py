"""Where benchmarks run: the archives, a real sshd, a relay for a long link, mounts, and the page cache."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FERRYFS = f'{HERE}/build/release/fs/ferryfs'
SCALE = f'{HERE}/build/release/tests/ferryfs-scale'
RELAY = f'{HERE}/build/release/tests/ferryfs-relay'


def description():
    with open('/proc/cpuinfo') as f:
        model = re.search(r'model name\s*: (.*)', f.read())
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    return (f'{os.cpu_count()} cores of {model.group(1) if model else "unknown make"}, {memory:.0f} GiB, '
            f'Linux {os.uname().release}')


def run(*command, ok=(0,), **more):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more)
    if done.returncode not in ok:
        raise RuntimeError(f'{" ".join(map(str, command))}: exit {done.returncode}: {done.stderr[-500:]}')


def timed(*command, **more):
    begun = time.monotonic()
    run(*command, **more)
    return time.monotonic() - begun


def drop_caches():
    os.sync()
    with open('/proc/sys/vm/drop_caches', 'w') as f:
        f.write('3')


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f'waited {seconds} s for {what}')
        time.sleep(0.005)


GONE = 'sftp://root@127.0.0.1:1/pictures'  # nobody listens there


def index_of(destination, pictures):
    """Makes the index of a destination that knows so many pictures of GONE; what asking it costs, by name."""
    os.mkdir(f'{destination}/.ferryfs', 0o700)
    made = subprocess.run([SCALE, f'{destination}/.ferryfs/index.db', str(pictures), GONE], check=True,
                          stdout=subprocess.PIPE, text=True)
    return json.loads(made.stdout)


def daemon_of(view):
    """The process that serves a mount."""
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as f:
                words = f.read().split(b'\0')
        except OSError:
            continue
        if words[0].endswith(b'ferryfs') and view.encode() in words:
            return pid
    raise RuntimeError(f'{view}: no process serves it')


def cpu_of(pid):
    """Seconds of processor time that a process has used."""
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class Bench:
    """One run: a directory of its own, taken away at the end with all that is mounted in it."""

    def __init__(self, work, quick):
        self.dir = tempfile.mkdtemp(prefix='ferryfs-bench.', dir=work or '/var/tmp')
        self.part = 100 if quick else 1
        self.number = 0
        self.mounts = []
        self.relay = None

    def __enter__(self):
        run(f'{HERE}/scripts/loopback-sshd', f'{self.dir}/ssh', 'MaxStartups 100')
        self.port = int(open(f'{self.dir}/ssh/port').read())
        self.relay = subprocess.Popen([RELAY, '--to', f'127.0.0.1:{self.port}', '--delay-ms', '25'],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.far_port = int(self.relay.stdout.readline())
        hosts = open(f'{self.dir}/ssh/known_hosts').read()
        with open(f'{self.dir}/ssh/known_hosts', 'a') as f:
            f.write(hosts.replace(str(self.port), str(self.far_port)))
        return self

    def __exit__(self, *_):
        self.clean()
        self.relay.kill()
        os.kill(int(open(f'{self.dir}/ssh/sshd.pid').read()), signal.SIGTERM)
        shutil.rmtree(self.dir, ignore_errors=True)

    def clean(self):
        """Takes off what a row has mounted. Its directories stay while there is room: ext4 is slow to make files for
        five minutes after many were removed."""
        for at in reversed(self.mounts):
            subprocess.run(['umount', '-l', at], stderr=subprocess.DEVNULL)
        self.mounts = []
        space = os.statvfs(self.dir)
        if space.f_bavail * space.f_frsize < 30 << 30:
            shutil.rmtree(f'{self.dir}/scratch', ignore_errors=True)

    def fresh(self):
        self.number += 1
        path = f'{self.dir}/scratch/{self.number}'
        os.makedirs(path)
        return path

    def archive(self, name):
        """small: 58,343 x 16 KiB in 400 days; large: 300 x 3.4 MB. Made once."""
        path = f'{self.dir}/{name}'
        pictures, mean, days = {'small': (58343, '16Ki', 400), 'large': (300, '3.4M', 3)}[name]
        if not os.path.exists(path):
            run(f'{HERE}/scripts/make-archive', path, '--pictures', max(pictures // self.part, 10), '--mean', mean,
                '--days', max(days // self.part, 1))
        return path

    def url(self, path, far=False):
        return f'sftp://root@127.0.0.1:{self.far_port if far else self.port}{path}'

    def ssh(self, far=False):
        """The options of ssh and its friends, as one text for `rsync -e`."""
        return (f'ssh -p {self.far_port if far else self.port} -o IdentityFile={self.dir}/ssh/key '
                f'-o UserKnownHostsFile={self.dir}/ssh/known_hosts -o StrictHostKeyChecking=yes')

    def rclone(self, source, far=False):
        """The source as rclone names it; without hashes, which it would read every picture again for."""
        return (f':sftp,host=127.0.0.1,port={self.far_port if far else self.port},user=root,key_file={self.dir}/ssh/key,'
                f'known_hosts_file={self.dir}/ssh/known_hosts,disable_hashcheck=true:{source}')

    def keys(self):
        return ['--identity', f'{self.dir}/ssh/key', '--known-hosts', f'{self.dir}/ssh/known_hosts']

    def million(self):
        """A destination that knows a million pictures of a source that is away, and has none of them."""
        to = self.fresh()
        index_of(to, 1_000_000 // self.part)
        return to

    def mount(self, source, destination, *options):
        at = self.fresh()
        run(FERRYFS, 'mount', source, destination, at, *self.keys(), *options)
        self.mounts.append(at)
        return at

    def mounted(self, *command):
        """Mounts by `command`, which ends in the mountpoint."""
        at = self.fresh()
        run(*command, at)
        self.mounts.append(at)
        return at

    @contextlib.contextmanager
    def for_a_while(self, at):
        yield at
        run('umount', at)
        self.mounts.remove(at)
