"""The model: what one worker did below his directory, when it was acknowledged, and what may therefore be found there."""
import threading
import time
from dataclasses import dataclass, field

from soaking.content import DIRECTORY, Content, is_part

NAMES_SAFE = 7   # seconds until a change of names is on the disk: 5 of ferryfs, and the file system's own
DATA_SAFE = 40   # seconds until written data is on the disk without an fsync: the kernel's 30, and again some
NEVER = float('inf')


@dataclass
class State:
    """A path from a moment on. `at`: when it was acknowledged; `safe`: from when its bytes are durable."""
    value: object               # Content, DIRECTORY or None
    at: float = NEVER           # in flight
    safe: float = NEVER
    synced: bool = False        # an fsync has made the name durable as well
    truncates: bool = False
    number: int = field(default=0, compare=False)


class Yard:
    """Threads: the worker changes it, readers look, under its lock."""

    def __init__(self, root):
        self.root = root
        self.lock = threading.RLock()
        self.paths = {}
        self.source = {}  # path: Content, what the source has under a path
        self.source_directories = set()
        self.story = []   # the last operations, for people
        self.count = 0
        self.paths[root] = [State(DIRECTORY, 0, 0)]

    def now(self, path):
        states = self.paths.get(path)
        return states[-1].value if states else None

    def token(self, path):
        """Changes with each change of a path; None while one is in flight."""
        states = self.paths.get(path)
        if not states or states[-1].at == NEVER:
            return None
        return states[-1].number

    def files(self):
        return [p for p, s in self.paths.items() if isinstance(s[-1].value, Content)]

    def directories(self):
        return [p for p, s in self.paths.items() if s[-1].value == DIRECTORY]

    def below(self, top):
        return [p for p, s in self.paths.items() if s[-1].value is not None and (p == top or p.startswith(top + '/'))]

    def bytes(self):
        return sum(s[-1].value.size for s in self.paths.values() if isinstance(s[-1].value, Content))

    def source_has(self, path, value):
        """From the first moment on."""
        self.paths[path] = [State(value, 0, 0)]
        if isinstance(value, Content):
            self.source[path] = value
        else:
            self.source_directories.add(path)

    def begin(self, what, changes, truncates=False, moved=False, tree=None):
        """Changes, (path, value) each, that are about to be tried together; `tree`: the old and the new name of a directory."""
        with self.lock:
            self.story.append(f'{time.strftime("%T")} {what}')
            del self.story[:-200]
            made = self.carry(*tree, {path for path, _ in changes}) if tree else []
            for path, value in changes:
                self.count += 1
                state = State(value, truncates=truncates, number=self.count)
                states = self.paths.setdefault(path, [State(None, 0, 0)])
                if isinstance(states[-1].value, Content) and (not moved or value is not None):
                    states[-1].value.removed = time.monotonic()
                states.append(state)
                made.append((path, state))
            return made

    def carry(self, top, to, changed):
        """A power cut may take back what was done below a directory shortly before it was renamed, and leave the new name."""
        made = []
        for path in [p for p in self.paths if p.startswith(top + '/')]:
            earlier = [s.value for s in self.window(path, time.monotonic())[:-1]]
            path = to + path[len(top):]
            for value in earlier + ([] if path in changed or not earlier else [None]):
                self.count += 1
                made.append((path, State(value, number=self.count)))
                self.paths.setdefault(path, [State(None, 0, 0)]).append(made[-1][1])
        return made

    def done(self, made, synced=False, moved=False):
        """They were acknowledged. `moved`: bytes that were there before have another name."""
        with self.lock:
            now = time.monotonic()
            for path, state in made:
                states = self.paths[path]
                state.at = now
                state.synced = synced
                if synced or not isinstance(state.value, Content):
                    state.safe = now
                else:
                    state.safe = self.safe_of(state.value) if moved else now + DATA_SAFE
                if isinstance(state.value, Content):
                    state.value.safe = min(state.value.safe, state.safe)
                recent = [i for i, s in enumerate(states) if s.at < now - 2 * DATA_SAFE]
                if recent:
                    del states[:recent[-1]]
                if len(states) == 1 and states[0].value is None:
                    del self.paths[path]

    def safe_of(self, content):
        known = [s.safe for states in self.paths.values() for s in states if s.value is content and s.at != NEVER]
        return min(known, default=time.monotonic() + DATA_SAFE)

    def lost(self, found, cut):
        """Contents that were durable, that nobody has removed, and that stand under none of their names: a rename that was
        cut off must leave one."""
        places = {}
        for path in self.paths:
            for s in self.window(path, cut):
                if isinstance(s.value, Content) and s.value.removed is None and (s.at != NEVER if cut is None else s.safe <= cut):
                    places.setdefault(s.value, []).append(path)
        # In flight it may stand under a further name.
        for path, states in self.paths.items():
            if states[-1].value in places:
                places[states[-1].value].append(path)
        for content, paths in places.items():
            if not any(same(content, found.get(p)) for p in paths):
                yield content, paths

    def window(self, path, cut):
        """The states one of which must be found, after a cut of the power at `cut`, or after a kill (None)."""
        states = self.paths.get(path, [State(None, 0, 0)])
        first = 0
        for i, s in enumerate(states):
            if s.at != NEVER and (cut is None or s.synced or s.at <= cut - NAMES_SAFE):
                first = i
        return states[first:]

    def may_hold(self, path, found, cut):
        """Whether `found` (bytes, DIRECTORY, None, or the size of what is remote) may stand there."""
        states = self.window(path, cut)
        values = [s.value for s in states]
        if found is None or found == DIRECTORY:
            return found in values
        contents = [v for v in values if isinstance(v, Content)]
        if isinstance(found, int):
            return any(v.origin and v.size == found for v in contents) or (
                states[-1].at == NEVER and None in values and path in self.source and self.source[path].size == found)
        if any(v.holds(found) for v in contents):
            return True
        if states[-1].at == NEVER and path in self.source and self.source[path].holds(found):
            return True  # a removal was cut off: README, Limits
        unsafe = [s for s in states if isinstance(s.value, Content) and (s.at == NEVER or cut is not None and s.safe > cut)]
        if not unsafe:
            return False
        if cut is not None:
            contents += [older for s in unsafe for older in s.value.older(cut)]
        least = 0 if None in values or any(s.truncates for s in unsafe) else min(v.size for v in contents)
        return is_part(found, contents, least)

    def adopt(self, path, found, cut):
        """What was found is what is so from now on."""
        states = self.paths.get(path, [])
        in_flight = []
        if cut is None and states:
            in_flight = [s for s in states if s.at == NEVER]
            for s in in_flight:
                states.remove(s)
            if states and same(states[-1].value, found):
                return
        value = found
        if isinstance(found, (bytes, int)):
            known = [s.value for s in states + in_flight if isinstance(s.value, Content)]
            if path in self.source:
                known.append(self.source[path])
            value = next((v for v in reversed(known) if same(v, found)), None) or Content.literal(found)
        if isinstance(value, Content):
            value.removed = None
        self.count += 1
        now = time.monotonic()
        if isinstance(value, Content):
            value.safe = min(value.safe, now + DATA_SAFE if cut is None else 0)
        state = State(value, now if cut is None else 0, now + DATA_SAFE if cut is None else 0, number=self.count)
        if value is None and cut is not None:
            self.paths.pop(path, None)
        elif cut is None:
            self.paths.setdefault(path, [State(None, 0, 0)]).append(state)
        else:
            self.paths[path] = [state]


def same(value, found):
    if isinstance(value, Content):
        if isinstance(found, int):
            return value.size == found and value.origin is not None
        return isinstance(found, bytes) and value.holds(found)
    return value == found
