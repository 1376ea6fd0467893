#!/usr/bin/python3
"""The dashboard as somebody in a browser sees it: a real mount, served by a web server, in headless Chromium.

Usage: dashboard_test.py FERRYFS [SCREENSHOTS]; exit code 77, with the reason, where there is no browser (scripts/setup --browser).
"""
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.chrome.service import Service
except ImportError:
    print('skipped: no python3-selenium; scripts/setup --browser brings it')
    sys.exit(77)

HOSTILE = "a<script>document.title='owned'<!--\"'&\n\xff.jpg".encode('latin-1')


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f'waited {seconds} s for {what}'
        time.sleep(0.05)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def browser(width, height, dark=False):
    options = webdriver.ChromeOptions()
    options.binary_location = '/usr/bin/chromium'
    for word in ('headless=new', 'no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run', 'disable-background-networking',
                 'disable-component-update', 'disable-sync', 'hide-scrollbars'):
        options.add_argument(f'--{word}')
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    driver = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)
    driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride',
                           {'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 500})
    driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {
        'features': [{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}]})
    return driver


# The contrast of every text with what is behind it (WCAG 2.1, 1.4.3); the worst of them.
CONTRAST = '''
const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map((v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(', 0)')) return c; } return 'rgb(255,255,255)'; };
let worst = [99, ''];
for (const e of document.querySelectorAll('body *')) {
  if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  const s = getComputedStyle(e), a = light(e.namespaceURI.endsWith('svg') ? s.fill : s.color), b = light(behind(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < worst[0]) worst = [ratio, e.tagName + ': ' + e.textContent.slice(0, 40)];
}
return worst;'''


class Archive:
    """An old server's directory, half of it here already, in a mount; and the mount's .ferryfs/ behind a web server."""

    def __init__(self, ferryfs):
        self.ferryfs = ferryfs
        self.dir = tempfile.mkdtemp(prefix='ferryfs-dashboard.')
        self.old, self.new, self.view = (os.path.join(self.dir, n) for n in ('old', 'new', 'view'))
        for path in self.old, self.new, self.view:
            os.mkdir(path)
        for day in ('20240102', '20240103', '20250607'):
            for number in range(10):
                self.put(self.old, day, f'{number}.jpg', b'x' * 1000)
        self.put(self.old, '20240103', HOSTILE, b'theirs')
        self.put(self.new, '20240103', HOSTILE, b'ours!!!')
        shutil.copytree(os.path.join(self.old, '20240102'), os.path.join(self.new, '20240102'))
        subprocess.run([ferryfs, 'mount', self.old, self.new, self.view, '--paused'], check=True)
        subprocess.run([ferryfs, 'scan', self.view], check=True, stdout=subprocess.DEVNULL)
        handler = functools.partial(Quiet, directory=os.path.join(self.view, '.ferryfs'))
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.server.server_port}/index.html'

    @staticmethod
    def put(root, day, name, content):
        directory = os.path.join(os.fsencode(root), day.encode())
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, os.fsencode(name))
        with open(path, 'wb') as f:
            f.write(content)
        os.utime(path, (1_700_000_000, 1_700_000_000))

    def status(self):
        with open(os.path.join(self.view, '.ferryfs', 'status.json')) as f:
            return json.load(f)

    def end(self):
        self.server.shutdown()
        subprocess.run(['umount', self.view], check=False)
        wait_for(lambda: not os.path.ismount(self.view), 'the umount')
        # The index is closed last.
        wait_for(lambda: not os.path.exists(os.path.join(self.new, '.ferryfs', 'index.db-shm')), 'the end of ferryfs')
        shutil.rmtree(self.dir)


def number_of(driver, css):
    # In one call: between two the page may have put another element in its place.
    text = driver.execute_script('return document.querySelector(arguments[0]).innerText', css)
    return int(text.split('\n')[0].replace(',', ''))


def check_numbers(driver, archive):
    status = archive.status()
    for name in ('source', 'destination', 'common', 'missing', 'new', 'conflict', 'failed', 'skipped', 'deleted', 'lost'):
        assert number_of(driver, f'dd[data-set={name}]') == status[name]['files'], name


def check_days(driver):
    years = driver.find_elements(By.CSS_SELECTOR, '#years button')
    assert [y.text.split('\n')[0] for y in years] == ['2025', '2024'], [y.text for y in years]
    years[1].click()
    day = driver.find_element(By.CSS_SELECTOR, '[data-day="20240102"]')
    day.click()
    said = driver.find_element(By.ID, 'day').text
    assert '2024-01-02: 10 pictures here' in said and 'missing' not in said, said
    driver.find_element(By.CSS_SELECTOR, '[data-day="20240102"]').send_keys(Keys.ARROW_RIGHT)
    focused = driver.switch_to.active_element
    assert focused.get_attribute('data-day') == '20240103'
    focused.send_keys(Keys.ENTER)
    said = driver.find_element(By.ID, 'day').text
    assert '10 missing' in said and '1 in conflict' in said, said


def check_hostile(driver):
    rows = driver.find_elements(By.CSS_SELECTOR, '#conflicts tbody tr')
    assert len(rows) == 1
    path = rows[0].find_element(By.CSS_SELECTOR, '.path').text
    assert path == "20240103/a<script>document.title='owned'<!--\"'&\\x0a\\xff.jpg", path
    assert 'owned' not in driver.title


def check_looks(driver, width):
    worst, where = driver.execute_script(CONTRAST)
    assert worst >= 4.5, f'contrast {worst:.2f} at {where}'
    assert driver.execute_script('return document.documentElement.scrollWidth') <= width
    complaints = [entry for entry in driver.get_log('browser') if entry['level'] == 'SEVERE']
    assert not complaints, complaints


def check_refresh(driver, archive):
    with open(os.path.join(archive.view, '20240103', 'upload.jpg'), 'wb') as f:
        f.write(b'new')
    before = number_of(driver, 'dd[data-set=new]')
    wait_for(lambda: number_of(driver, 'dd[data-set=new]') == before + 1, 'the page to show an upload')
    chosen = driver.find_element(By.CSS_SELECTOR, '[data-day="20240103"]')
    assert chosen.get_attribute('aria-pressed') == 'true'


def main():
    if not os.path.exists('/usr/bin/chromium') or not os.path.exists('/usr/bin/chromedriver'):
        print('skipped: no chromium and chromedriver; scripts/setup --browser brings them')
        return 77
    screenshots = sys.argv[2] if len(sys.argv) > 2 else None
    archive = Archive(sys.argv[1])
    try:
        for width, height, dark in ((1100, 1800, False), (390, 2600, False), (1100, 1800, True)):
            driver = browser(width, height, dark)
            try:
                driver.get(archive.url)
                check_numbers(driver, archive)
                check_days(driver)
                check_hostile(driver)
                check_looks(driver, width)
                if screenshots:
                    driver.save_screenshot(f'{screenshots}/{width}{"-dark" if dark else ""}.png')
                if width == 1100 and not dark:
                    check_refresh(driver, archive)
            finally:
                driver.quit()
    finally:
        archive.end()
    print('dashboard: numbers, days, keyboard, contrast, hostile names and refresh are right')
    return 0


if __name__ == '__main__':
    sys.exit(main())
