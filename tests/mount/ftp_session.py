#!/usr/bin/env python3
"""What a camera and somebody who tidies up do over FTP: ftp_session.py PORT FILE. Writes "ok" when all of it went well."""
import ftplib
import io
import sys

port, upload = int(sys.argv[1]), open(sys.argv[2], "rb").read()
ftp = ftplib.FTP()
ftp.connect("127.0.0.1", port, timeout=30)
ftp.login()


def put(name, content, command="STOR", rest=None):
    ftp.storbinary(f"{command} {name}", io.BytesIO(content), rest=rest)


def get(name):
    content = io.BytesIO()
    ftp.retrbinary(f"RETR {name}", content.write)
    return content.getvalue()


def remove(directory):
    for name, facts in [(n, ftp.nlst(n)) for n in ftp.nlst(directory)]:
        remove(name) if facts != [name] else ftp.delete(name)
    ftp.rmd(directory)


# A new picture, under a temporary name first, and again, which overwrites it.
for content in (b"short", upload):
    put("20240101/upload.tmp", content)
    ftp.rename("20240101/upload.tmp", "20240101/new.jpg")
assert get("20240101/new.jpg") == upload
# An upload that broke off is taken up where it ended; an append.
put("20240101/resumed.jpg", upload[:100_000])
put("20240101/resumed.jpg", upload[100_000:], rest=100_000)
put("20240101/appended.jpg", upload[:10])
put("20240101/appended.jpg", upload[10:], "APPE")
# Of what is only on the old server: read, overwritten, appended to, renamed across directories, deleted.
sys.stdout.buffer.write(get("20240101/0.jpg"))
put("20240101/1.jpg", upload)
put("20240101/2.jpg", b"tail", "APPE")
ftp.mkd("kept")
ftp.rename("20240102/0.jpg", "kept/moved.jpg")
ftp.delete("20240102/1.jpg")
remove("20240102")
ftp.quit()
