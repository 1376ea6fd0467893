"""Where the soak happens: a source, a disk of its own for the destination, and ferryfs between them."""
import json
import os
import signal
import subprocess
import time



HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OLD = time.mktime((2026, 1, 31, 12, 0, 0, 0, 0, 0))


def run(*command, check=True, timeout=120):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise RuntimeError(f'{" ".join(map(str, command))}: exit {done.returncode}: {done.stdout[-500:]}')
    return done


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f'waited {seconds} s for {what}')
        time.sleep(0.02)


class World:
    def __init__(self, work, ferryfs, megabytes, over_ssh):
        self.work, self.ferryfs = work, ferryfs
        self.source, self.disk, self.view = f'{work}/old', f'{work}/disk', f'{work}/views/view'
        self.image, self.new, self.filler = f'{work}/disk.img', f'{work}/disk/new', f'{work}/disk/filler'
        self.url, self.keys, self.process, self.mounts = self.source, [], None, 0
        os.makedirs(self.source)
        os.mkdir(self.disk)
        # What is written while nothing is mounted must not land below the mountpoint.
        os.mkdir(f'{work}/views')
        run('mount', '-t', 'tmpfs', 'soak', f'{work}/views')
        os.mkdir(self.view)
        run('mount', '-o', 'remount,ro', f'{work}/views')
        with open(self.image, 'wb') as f:
            f.truncate(megabytes << 20)
        run('mkfs.ext4', '-q', '-F', self.image)
        self.power_on()
        os.mkdir(self.new)
        if over_ssh:
            port = run(f'{HERE}/scripts/loopback-sshd', f'{work}/ssh').stdout.strip()
            self.url = f'sftp://root@127.0.0.1:{port}{self.source}'
            self.keys = ['--identity', f'{work}/ssh/key', '--known-hosts', f'{work}/ssh/known_hosts']

    def close(self):
        if self.process:
            self.kill()
        for path in (self.view, f'{self.work}/views', self.disk):
            while os.path.ismount(path):
                if run('umount', path, check=False).returncode:
                    run('umount', '-l', path)
        if self.keys:
            with open(f'{self.work}/ssh/sshd.pid') as f:
                os.kill(int(f.read()), signal.SIGTERM)

    def add_to_source(self, path, content):
        at = f'{self.source}/{path}'
        os.makedirs(os.path.dirname(at), exist_ok=True)
        with open(f'{self.work}/arriving', 'wb') as f:
            f.write(content.data())
        os.utime(f'{self.work}/arriving', (OLD, OLD))
        os.rename(f'{self.work}/arriving', at)

    # --- ferryfs

    def mount(self, *options):
        self.mounts += 1
        self.said = f'{self.work}/said.{self.mounts}'
        with open(self.said, 'w') as out:
            self.process = subprocess.Popen([self.ferryfs, 'mount', self.url, self.new, self.view, '-f', *self.keys, *options],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        wait_for(lambda: self.stands() or self.process.poll() is not None, 60, 'the mount')
        if self.process.poll() is not None:
            raise RuntimeError(f'ferryfs mount ended with {self.process.returncode}: {self.words()[-1:]}')

    def stands(self):
        try:
            return os.path.exists(f'{self.view}/.ferryfs/status.json')
        except OSError:
            return False

    def words(self):
        with open(self.said, errors='replace') as f:
            return f.read().splitlines()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def clear_view(self):
        while os.path.ismount(self.view) or not os.path.isdir(self.view):
            run('umount', '-l', self.view)

    def unmount(self):
        """As a user does; the exit code."""
        wait_for(lambda: run('umount', self.view, check=False).returncode == 0, 30, 'umount of a view that nobody uses')
        return self.process.wait(60)

    def command(self, *words, check=True, timeout=300):
        return run(self.ferryfs, *words, check=check, timeout=timeout)

    def status(self):
        return json.loads(self.command('status', self.view, '--json', check=False).stdout)

    def scan(self):
        self.command('scan', self.view)

    def memory(self):
        """Megabytes and open files of the process."""
        with open(f'/proc/{self.process.pid}/status') as f:
            rss = next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))
        return rss / 1024, len(os.listdir(f'/proc/{self.process.pid}/fd'))

    # --- the disk

    def power_on(self):
        run('mount', '-o', 'loop', self.image, self.disk)

    def cut_power(self):
        """What was not told to stay is lost; nothing more is taken."""
        run('xfs_io', '-x', '-c', 'shutdown', self.disk)

    def power_off(self):
        wait_for(lambda: run('umount', self.disk, check=False).returncode == 0, 30, f'umount of {self.disk}')

    def fill(self, leave):
        stat = os.statvfs(self.disk)
        free = stat.f_bavail * stat.f_frsize - leave
        with open(self.filler, 'wb') as f:
            os.posix_fallocate(f.fileno(), 0, max(free, 4096))

    def make_room(self):
        if os.path.exists(self.filler):
            os.unlink(self.filler)
