"""Those who look at the archive while others work in it: what nobody has changed meanwhile must be there, once, and whole."""
import os
import random
import threading

from soaking.worker import difference, look


class Looker(threading.Thread):
    def __init__(self, yards, view, seed, weather, report):
        super().__init__(daemon=True)
        self.yards, self.view, self.weather, self.report = yards, view, weather, report
        self.random = random.Random(f'{seed} looker')
        self.looks = 0
        self.reported = set()

    def run(self):
        while not self.weather.over:
            if not self.weather.enter():
                continue
            try:
                yard = self.random.choice(self.yards)
                self.random.choice((self.read, self.read, self.list))(yard)
                self.looks += 1
            except OSError as e:
                if not self.weather.outage:
                    self.report(yard, f'a looker: {e}')
            finally:
                self.weather.leave()

    def read(self, yard):
        with yard.lock:
            files = yard.files()
            path = self.random.choice(files) if files else None
            before, expected = (yard.token(path), yard.now(path)) if path else (None, None)
        if before is None:
            return
        problem = None
        try:
            size = os.stat(f'{self.view}/{path}').st_size
            found = look(f'{self.view}/{path}')
        except OSError as e:
            problem = str(e)
        with yard.lock:
            if yard.token(path) != before or self.weather.outage:
                return
        if before in self.reported:
            return
        if problem or size != expected.size or not expected.holds(found):
            self.reported.add(before)
        if problem:
            self.report(yard, f'{path}: a looker read: {problem}')
        elif size != expected.size:
            self.report(yard, f'{path}: a looker saw {size} bytes of {expected.size}')
        elif not expected.holds(found):
            self.report(yard, f'{path}: a looker read other bytes: {difference(expected.data(), found)}')

    def list(self, yard):
        with yard.lock:
            top = self.random.choice(yard.directories())
            before = self.children(yard, top)
            mark = yard.token(top)
        try:
            names = os.listdir(f'{self.view}/{top}')
        except OSError:
            names = None
        with yard.lock:
            if mark is None or yard.token(top) != mark or self.weather.outage:
                return
            after = self.children(yard, top)
        stayed = {n for n, t in before.items() if t is not None and after.get(n) == t}
        if names is None:
            self.report(yard, f'{top}: a looker could not list it')
        elif missing := stayed - set(names):
            self.report(yard, f'{top}: a listing of {len(names)} names left out {sorted(missing)[:3]}')
        elif len(names) != len(set(names)):
            twice = {n for n in stayed if names.count(n) > 1}
            if twice:
                self.report(yard, f'{top}: a listing showed {sorted(twice)[:3]} twice')

    @staticmethod
    def children(yard, top):
        start = len(top) + 1
        return {p[start:]: yard.token(p) for p, s in yard.paths.items()
                if p.startswith(top + '/') and '/' not in p[start:] and s[-1].value is not None}


def found_below(view, root):
    """Path: bytes, 'directory', or the size of what is not here."""
    found = {}
    for at, directories, files in os.walk(f'{view}/{root}', onerror=raise_it):
        below = os.path.relpath(at, view)
        found[below] = 'directory'
        for name in files:
            path = f'{below}/{name}'
            try:
                remote = os.getxattr(f'{view}/{path}', 'user.ferryfs.state') == b'remote'
            except OSError:
                remote = False
            found[path] = os.stat(f'{view}/{path}').st_size if remote else look(f'{view}/{path}')
    return found


def raise_it(e):
    raise e
