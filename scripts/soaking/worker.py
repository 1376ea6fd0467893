"""One who works in the mount, below a directory of his own, as cameras and people do; each step is told to the model."""
import errno
import os
import random
import threading

from soaking.content import DIRECTORY, Content, noise


class Interrupted(Exception):
    """ferryfs or its disk went away under an operation."""


class Worker(threading.Thread):
    def __init__(self, yard, view, seed, weather, report):
        super().__init__(daemon=True)
        self.yard, self.view, self.weather, self.report = yard, view, weather, report
        self.random = random.Random(f'{seed} {yard.root}')
        self.made = 0
        self.steps = {}

    def run(self):
        kinds = [(self.upload, 14), (self.upload_by_rename, 8), (self.append_lines, 12), (self.overwrite, 6), (self.save, 8),
                 (self.patch, 5), (self.truncate, 3), (self.rename, 12), (self.rename_away_and_back, 3),
                 (self.rename_tree, 4), (self.delete, 8), (self.delete_tree, 1), (self.make_directory, 3), (self.read, 12),
                 (self.sync_directory, 3)]
        while not self.weather.over:
            if not self.weather.enter():
                continue
            step = self.random.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
            try:
                step()
                self.steps[step.__name__] = self.steps.get(step.__name__, 0) + 1
            except Interrupted:
                self.weather.wait_for_end_of_outage()
            except Exception as e:
                self.report(self.yard, f'{step.__name__}: {type(e).__name__}: {e}')
            finally:
                self.weather.leave()

    # --- choice

    def name(self, suffix='.jpg'):
        self.made += 1
        return f'{self.random.choice(self.yard.directories())}/n{self.made:05}{suffix}'

    def some_file(self):
        files = self.yard.files()
        return self.random.choice(files) if files else None

    def content(self):
        size = self.random.choice((0, 1, 700, 5000, 30_000, 30_000, 90_000, 300_000))
        return Content.new(f'{self.yard.root} {self.made} {self.random.random()}', size + self.random.randrange(100))

    # --- steps against the mount

    def at(self, path):
        return f'{self.view}/{path}'

    def attempt(self, what, changes, call, truncates=False, synced=False, moved=False, tree=None):
        """Tries changes; what came of them is in the model. False: refused for lack of room."""
        made = self.yard.begin(what, changes, truncates, moved, tree)
        try:
            call()
        except OSError as e:
            if self.weather.outage:
                raise Interrupted from e
            if e.errno in (errno.ENOSPC, errno.EDQUOT) and self.weather.may_be_full():
                self.look_after_refusal(made, what, e)
                return False
            self.look_after_refusal(made, what, e)
            raise
        self.yard.done(made, synced, moved)
        return True

    def look_after_refusal(self, made, what, why):
        """Old or new; of bytes that were being written, a part."""
        for path in dict.fromkeys(p for p, _ in made):
            try:
                found = look(self.at(path))
            except OSError as e:
                if self.weather.outage:
                    raise Interrupted from e
                raise
            if not self.yard.may_hold(path, found, None):
                self.report(self.yard, f'after {what} was refused ({why}): {path} holds {describe(found)}')
            self.yard.adopt(path, found, None)

    def check(self, path):
        """What the one who wrote it sees, at once."""
        expected = self.yard.now(path)
        try:
            size = os.stat(self.at(path)).st_size
            found = look(self.at(path)) if self.random.random() < 0.3 else None
        except OSError as e:
            if self.weather.outage:
                raise Interrupted from e
            raise
        if size != expected.size:
            self.report(self.yard, f'{path}: {size} bytes right after {expected.size} were written')
            self.yard.adopt(path, look(self.at(path)), None)
        elif found is not None and not expected.holds(found):
            self.report(self.yard, f'{path}: other bytes right after they were written: {difference(expected.data(), found)}')
            self.yard.adopt(path, found, None)

    def write(self, path, content, flags, sync, truncates=False, what='write'):
        def call():
            fd = os.open(self.at(path), flags, 0o644)
            try:
                data = content.data()
                step = max(1, len(data) // self.random.choice((1, 3)))
                for at in range(0, len(data), step):
                    left = memoryview(data)[at:at + step]
                    while left:
                        left = left[os.write(fd, left):]
                if sync:
                    os.fsync(fd)
            finally:
                os.close(fd)
        return self.attempt(f'{what} {path} {content.size}{" fsync" if sync else ""}', [(path, content)], call,
                            truncates=truncates, synced=sync)

    def crowded(self):
        return self.yard.bytes() > 12 << 20 or len(self.yard.paths) > 250

    def upload(self):
        if self.crowded():
            return self.delete()
        path = self.name()
        if self.write(path, self.content(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.random.random() < 0.4, what='upload'):
            self.check(path)

    def upload_by_rename(self):
        if self.crowded():
            return self.delete()
        part = self.name('.part')
        content = self.content()
        if self.write(part, content, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self.random.random() < 0.5):
            path = part[:-5] + '.jpg'
            if self.move(part, path):
                self.check(path)

    def append_lines(self):
        path = self.some_file() if self.random.random() < 0.4 else self.name('.log')
        if path is None:
            return
        for i in range(self.random.randrange(1, 40)):
            old = self.yard.now(path)
            size = self.random.randrange(1, 200)
            name = f'{self.yard.root} {path} {self.made} {i}'
            content = old.edited('put', old.size, name, size) if old else Content.new(name, size)

            def call():
                with open(self.at(path), 'ab', buffering=0) as f:
                    f.write(noise(name, size))
            if not self.attempt(f'append {path} {size}', [(path, content)], call):
                return
            if self.random.random() < 0.2:
                self.check(path)
        self.check(path)

    def overwrite(self):
        path = self.some_file()
        if path and self.write(path, self.content(), os.O_WRONLY | os.O_TRUNC, self.random.random() < 0.4, truncates=True,
                               what='overwrite'):
            self.check(path)

    def save(self):
        """As editors do: a new file over the name of the old one."""
        path = self.some_file()
        if path is None or self.crowded():
            return
        part = self.name('.tmp')
        if self.write(part, self.content(), os.O_WRONLY | os.O_CREAT, self.random.random() < 0.7, what='save'):
            if self.move(part, path):
                self.check(path)

    def patch(self):
        path = self.some_file()
        if path is None:
            return
        old = self.yard.now(path)
        offset, size = self.random.randrange(old.size + 1), self.random.randrange(1, 9000)
        name = f'{path} {self.made} {self.random.random()}'
        sync = self.random.random() < 0.3

        def call():
            fd = os.open(self.at(path), os.O_WRONLY)
            try:
                done = 0
                while done < size:
                    done += os.pwrite(fd, noise(name, size)[done:], offset + done)
                if sync:
                    os.fsync(fd)
            finally:
                os.close(fd)
        if self.attempt(f'patch {path} {offset}+{size}{" fsync" if sync else ""}', [(path, old.edited('put', offset, name, size))],
                        call, synced=sync):
            self.check(path)

    def truncate(self):
        path = self.some_file()
        if path is None:
            return
        old = self.yard.now(path)
        size = self.random.randrange(old.size + 2000)
        if self.attempt(f'truncate {path} to {size}', [(path, old.edited('cut', size))],
                        lambda: os.truncate(self.at(path), size), truncates=True):
            self.check(path)

    def move(self, path, to):
        value = self.yard.now(path)
        return self.attempt(f'rename {path} {to}', [(path, None), (to, value)], lambda: os.rename(self.at(path), self.at(to)),
                            moved=True)

    def rename(self):
        path = self.some_file()
        to = self.some_file() if self.random.random() < 0.2 else self.name()
        if path and to and path != to and self.move(path, to):
            self.check(to)

    def rename_away_and_back(self):
        path = self.some_file()
        away = self.name('.away')
        for _ in range(5):
            if not path or not self.move(path, away) or not self.move(away, path):
                return

    def rename_tree(self):
        tops = [d for d in self.yard.directories() if d != self.yard.root]
        if not tops:
            return
        top = self.random.choice(tops)
        inside = [d for d in self.yard.directories() if d != top and not d.startswith(top + '/')]
        self.made += 1
        to = f'{self.random.choice(inside)}/tree{self.made}'
        if to.count('/') > 5:
            return
        changes = []
        for path in self.yard.below(top):
            changes += [(path, None), (to + path[len(top):], self.yard.now(path))]
        self.attempt(f'rename {top}/ {to}/', changes, lambda: os.rename(self.at(top), self.at(to)), moved=True,
                     tree=(top, to))

    def delete(self):
        path = self.some_file()
        if path:
            self.attempt(f'delete {path}', [(path, None)], lambda: os.unlink(self.at(path)))

    def delete_tree(self):
        tops = [d for d in self.yard.directories() if d.count('/') > 1]
        if not tops:
            return
        top = self.random.choice(tops)
        for path in sorted(self.yard.below(top), reverse=True):
            call = os.rmdir if self.yard.now(path) == DIRECTORY else os.unlink
            if not self.attempt(f'delete {path}', [(path, None)], lambda p=path, c=call: c(self.at(p))):
                return

    def make_directory(self):
        path = self.name('')
        if path.count('/') < 4 and len(self.yard.directories()) < 25:
            self.attempt(f'mkdir {path}', [(path, DIRECTORY)], lambda: os.mkdir(self.at(path)))

    def sync_directory(self):
        """fsync of a directory: the names in it are durable."""
        path = self.random.choice(self.yard.directories())
        try:
            fd = os.open(self.at(path), os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as e:
            if self.weather.outage:
                raise Interrupted from e
            if e.errno != errno.ENOSPC or not self.weather.may_be_full():
                raise

    def read(self):
        path = self.some_file()
        if path is None:
            return
        expected = self.yard.now(path)
        try:
            found = look(self.at(path))
        except OSError as e:
            if self.weather.outage:
                raise Interrupted from e
            raise
        if not expected.holds(found):
            self.report(self.yard, f'{path}: read other bytes: {difference(expected.data(), found)}')
            self.yard.adopt(path, found, None)


def look(at):
    """The bytes of a file, DIRECTORY, or None."""
    try:
        with open(at, 'rb') as f:
            return f.read()
    except IsADirectoryError:
        return DIRECTORY
    except FileNotFoundError:
        return None


def describe(found):
    return f'{len(found)} bytes' if isinstance(found, bytes) else f'{found} bytes, remote' if isinstance(found, int) else str(found)


def difference(expected, found):
    if found is None or isinstance(found, str):
        return f'{found} instead of {len(expected)} bytes'
    at = next((i for i, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
    zeros = ', zeros there' if found[at:at + 64].strip(b'\0') == b'' and at < len(found) else ''
    return f'{len(found)} instead of {len(expected)} bytes, the first different at {at}{zeros}'
