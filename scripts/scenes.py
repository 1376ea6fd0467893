"""Pictures of a time-lapse camera: sky, sun, clouds and hills as the hour has them, with the time drawn at the foot."""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

# (hour, zenith, horizon, land): colours in between are mixed.
DAY = [
    (0.0, (6, 8, 24), (14, 18, 40), (6, 8, 12)),
    (5.0, (16, 22, 58), (60, 52, 84), (10, 14, 18)),
    (6.5, (70, 96, 160), (250, 158, 96), (34, 40, 34)),
    (9.0, (66, 132, 214), (196, 222, 240), (58, 96, 52)),
    (15.0, (48, 118, 210), (184, 214, 240), (66, 108, 54)),
    (18.5, (76, 92, 160), (252, 176, 92), (52, 62, 38)),
    (20.0, (44, 40, 94), (226, 92, 62), (24, 24, 28)),
    (21.5, (12, 14, 40), (36, 32, 66), (8, 10, 14)),
    (24.0, (6, 8, 24), (14, 18, 40), (6, 8, 12)),
]


def mix(a, b, t):
    return tuple(round(x + (y - x) * t) for x, y in zip(a, b))


def colours(hour):
    for early, late in zip(DAY, DAY[1:]):
        if hour <= late[0]:
            t = (hour - early[0]) / (late[0] - early[0])
            return [mix(early[i], late[i], t) for i in (1, 2, 3)]
    return list(DAY[-1][1:])


def sky(width, height, zenith, horizon):
    column = Image.new("RGB", (1, 64))
    for y in range(64):
        column.putpixel((0, y), mix(zenith, horizon, min(1.0, y / 40)))
    return column.resize((width, height), Image.BILINEAR)


def glow(picture, at, radius, colour):
    """The sun or the moon, with its halo. Drawn small and enlarged: a blur of the full size would take a second."""
    width, height = picture.size
    light = Image.new("L", (width // 8, height // 8))
    x, y, r = at[0] / 8, at[1] / 8, radius / 8
    ImageDraw.Draw(light).ellipse((x - 2 * r, y - 2 * r, x + 2 * r, y + 2 * r), fill=120)
    light = light.filter(ImageFilter.GaussianBlur(2 * r)).resize(picture.size, Image.BILINEAR)
    ImageDraw.Draw(light).ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=255)
    picture.paste(Image.new("RGB", picture.size, colour), (0, 0), light)


def clouds(picture, rng, shade):
    width, height = picture.size
    cover = Image.new("L", (width // 8, height // 8))
    draw = ImageDraw.Draw(cover)
    for _ in range(rng.randrange(2, 9)):
        x, y = rng.uniform(0, width / 8), rng.uniform(0, height / 20)
        for _ in range(6):
            dx, dy = rng.uniform(-width / 60, width / 60), rng.uniform(-height / 160, height / 160)
            r = rng.uniform(width / 200, width / 90)
            draw.ellipse((x + dx - 2 * r, y + dy - r, x + dx + 2 * r, y + dy + r), fill=rng.randrange(90, 200))
    cover = cover.filter(ImageFilter.GaussianBlur(width / 400)).resize(picture.size, Image.BILINEAR)
    picture.paste(Image.new("RGB", picture.size, shade), (0, 0), cover)


def hills(picture, land, horizon):
    """The same three ridges on every picture, as a camera that never moves sees them: the far ones paler."""
    width, height = picture.size
    draw = ImageDraw.Draw(picture)
    for depth in range(3):
        base = height * (0.62 + 0.10 * depth)
        ridge = []
        for x in range(0, width + 8, 8):
            t = x / width * 2 * math.pi
            ridge.append((x, base - height * (0.05 * math.sin(t * 1.3 + depth * 2) + 0.02 * math.sin(t * 4.1 + depth))))
        draw.polygon(ridge + [(width, height), (0, height)], fill=mix(land, horizon, 0.45 - 0.2 * depth))


def scene(hour, width, height, rng):
    """One RGB picture of the camera's view at `hour` (0 to 24, fractions count); `rng` decides on the clouds."""
    zenith, horizon, land = colours(hour)
    picture = sky(width, height, zenith, horizon)
    day = 5.5 < hour < 20.5
    way = (hour - 5.5) / 15 if day else ((hour - 20.5) % 24) / 9
    at = (width * (0.05 + 0.9 * way), height * (0.66 - (0.56 if day else 0.4) * math.sin(math.pi * way)))
    glow(picture, at, width / (36 if day else 60), (255, 244, 200) if day else (214, 218, 230))
    clouds(picture, rng, mix(horizon, (255, 255, 255), 0.5 if day else 0.05))
    hills(picture, land, horizon)
    return picture


def stamped(picture, text):
    """A copy with `text` on a black bar at the foot, in PIL's built-in font: no other need be installed."""
    font = ImageFont.load_default()
    _, _, right, bottom = font.getbbox(text)
    label = Image.new("L", (int(right) + 4, int(bottom) + 4))
    ImageDraw.Draw(label).text((2, 2), text, fill=255, font=font)
    width, height = picture.size
    bar = height // 20
    label = label.resize((label.width * bar // label.height, bar), Image.BILINEAR)
    copy = picture.copy()
    copy.paste((0, 0, 0), (0, height - bar, width, height))
    copy.paste((255, 255, 255), (bar // 2, height - bar), label)
    return copy


def encoded(picture, at_most):
    """The picture as a JPEG of no more than `at_most` bytes, in the best quality that allows it; None if none does."""
    for quality in (88, 75, 60, 40, 20):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if out.tell() <= at_most:
            return out.getvalue()
    return None


class Camera:
    """Gives the JPEG of any moment. A few dozen scenes are drawn, one for each part of the day, and reused.

    `exact` draws every picture's own date and time (about 10 ms each); otherwise a scene's hour is all that it bears.
    """

    SCENES = 48

    def __init__(self, mean, smallest, name, seed, exact):
        self.size_ = (1280, 960) if mean >= 200_000 else (640, 480) if mean >= 60_000 else (320, 240)
        self.at_most_ = smallest
        self.name_ = name
        self.seed_ = seed
        self.exact_ = exact
        self.scenes_ = {}

    def jpeg(self, when):
        slot = (when.hour * 60 + when.minute) * self.SCENES // (24 * 60)
        if slot not in self.scenes_:
            hour = (slot + 0.5) * 24 / self.SCENES
            picture = scene(hour, *self.size_, random.Random(f"{self.seed_}/{self.name_}/{slot}"))
            label = f"{self.name_}  {int(hour):02d} h"
            self.scenes_[slot] = picture if self.exact_ else encoded(stamped(picture, label), self.at_most_)
        kept = self.scenes_[slot]
        if self.exact_:
            return encoded(stamped(kept, f"{self.name_}  {when:%Y-%m-%d %H:%M:%S}"), self.at_most_)
        return kept
