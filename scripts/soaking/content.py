"""What files of the soak hold: made from a name again and again, so that no bytes need be kept."""
import functools
import hashlib
import random

PAGE = 4096
DIRECTORY = 'directory'


@functools.lru_cache(maxsize=64)
def noise(name, size):
    return random.Random(name).randbytes(size)


class Content:
    """Edits, one after another: ('put', offset, name, size), ('cut', size), ('bytes', data)."""

    def __init__(self, edits, origin=None):
        self.edits = tuple(edits)
        self.origin = origin  # on the source, if these are its bytes
        self.removed = None   # when it was deleted or replaced
        self.before = None    # what it was made of by the last edit
        self.safe = float('inf')  # from when it is durable

    @classmethod
    def new(cls, name, size, origin=None):
        return cls([('put', 0, name, size)], origin)

    @classmethod
    def literal(cls, data):
        return cls([('bytes', data)])

    def edited(self, *edit):
        made = Content([*self.edits, edit])
        made.before = self
        return made

    def older(self, cut):
        """What the disk may hold instead after a cut of the power: as long as an edit is not durable, also what was before."""
        at = self
        while at.before is not None and at.safe > cut:
            at = at.before
            yield at

    @functools.cached_property
    def size(self):
        return len(self.data())

    @functools.cached_property
    def sha(self):
        return hashlib.sha256(self.data()).hexdigest()

    def data(self):
        made = bytearray()
        for kind, *words in self.edits:
            if kind == 'put':
                offset, name, size = words
                made.extend(bytes(max(0, offset - len(made))))
                made[offset:offset + size] = noise(name, size)
            elif kind == 'cut':
                made[words[0]:] = bytes(max(0, words[0] - len(made)))
            else:
                made[:] = words[0]
        return bytes(made)

    def holds(self, data):
        return len(data) == self.size and hashlib.sha256(data).hexdigest() == self.sha

    def __repr__(self):
        return f'{self.size} bytes of {self.origin or self.edits[-1]}'[:100]


def is_part(data, values, least):
    """Whether each page of data is one of the values', or its beginning and zeros: what a disk may hold that was not
    told to keep it. `least`: bytes that must be there."""
    texts = [v.data() for v in values if isinstance(v, Content)]
    if not texts or not least <= len(data) <= max(map(len, texts)):
        return False
    for at in range(0, len(data), PAGE):
        page = data[at:at + PAGE].rstrip(b'\0')
        if not any(t[at:at + PAGE].startswith(page) for t in texts):
            return False
    return True
