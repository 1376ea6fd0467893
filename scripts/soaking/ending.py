"""The end of a soak: the view, the destination and the decisions must be what the model says."""
import os
import subprocess

from soaking.content import DIRECTORY, Content
from soaking.looker import found_below
from soaking.world import HERE
from soaking.worker import describe


def compare(yard, found, where, report):
    for path in sorted(found.keys() | yard.paths.keys()):
        value, there = yard.now(path), found.get(path)
        right = value.holds(there) if isinstance(value, Content) and isinstance(there, bytes) else value == there
        if not right:
            report(yard, f'at the end, {where}: {path} is {describe(there)}, and should be {value}')


def check_arrivals(arrivals, top, where, report):
    for path, content in arrivals.items():
        try:
            with open(f'{top}/{path}', 'rb') as f:
                right = content.holds(f.read())
        except OSError as e:
            right, where = False, f'{where} ({e})'
        if not right:
            report(None, f'at the end, {where}: {path}, which came to the source, is not here as it was there')


def write_decisions(yards, at):
    """What the workers decided, as the way from the source's paths to theirs: by way of names of their own, so that their
    order does not matter."""
    lines, moves, kept = [], [], {}
    for yard in yards:
        for path in yard.files():
            if yard.now(path).origin:
                kept.setdefault(yard.now(path).origin, path)
    for yard in yards:
        for path in sorted(yard.source, reverse=True):
            to = kept.get(path)
            if to is None:
                lines.append(f'deleted\t{path}')
            elif to != path:
                lines.append(f'renamed\t{path}\tsoak.{len(moves)}')
                moves.append(f'renamed\tsoak.{len(moves)}\t{to}')
        for path in sorted(yard.source_directories, reverse=True):
            if yard.now(path) != DIRECTORY:
                lines.append(f'deleted\t{path}')
    for yard in yards:
        for path in sorted(yard.directories()):
            if path not in yard.source_directories:
                moves.append(f'written\t{path}')
        for path in sorted(yard.files()):
            if kept.get(yard.now(path).origin) != path:
                moves.append(f'written\t{path}')
    with open(at, 'w') as f:
        f.writelines(f'soak\t{line}\n' for line in lines + moves)


def check_migration(world, yards, report):
    checker = f'{HERE}/scripts/check-migration'
    decisions = f'{world.work}/decisions'
    write_decisions(yards, decisions)
    if not os.path.exists(checker):
        return 'no scripts/check-migration here'
    done = subprocess.run([checker, world.source, world.new, '--decisions', decisions], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        for line in [x for x in done.stdout.splitlines() if 'no decision' in x or done.returncode == 2][:20]:
            report(None, f'check-migration: {line}')
    return done.stdout.splitlines()[-1]


def compare_all(world, yards, arrivals, top, where, report):
    for yard in yards:
        compare(yard, found_below(top, yard.root), where, report)
    check_arrivals(arrivals, top, where, report)
