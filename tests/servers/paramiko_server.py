#!/usr/bin/python3
"""An SFTP server made with paramiko, as its own examples make one. Usage: paramiko_server.py PORT HOST-KEY AUTHORIZED-KEYS

Serves the file system of 127.0.0.1 to who has one of the keys; says "listening" when it does. Names are text, as
paramiko has them: what is no UTF-8 it can't send. It lets a link be made, and runs no commands.
"""
import base64
import os
import socket
import sys
import threading

import paramiko


def answer(call, *arguments):
    """What an operation returns, or its errno as one of SFTP's codes."""
    try:
        return call(*arguments)
    except OSError as e:
        return paramiko.SFTPServer.convert_errno(e.errno)


def done(call, *arguments):
    code = answer(call, *arguments)
    return paramiko.SFTP_OK if code is None else code


class Handle(paramiko.SFTPHandle):
    def stat(self):
        return answer(lambda: paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno())))

    def chattr(self, attr):
        return done(paramiko.SFTPServer.set_file_attr, self.filename, attr)


class Files(paramiko.SFTPServerInterface):
    def list_folder(self, path):
        def entries():
            found = []
            for name in os.listdir(path):
                attr = paramiko.SFTPAttributes.from_stat(os.lstat(os.path.join(path, name)))
                attr.filename = name
                found.append(attr)
            return found
        return answer(entries)

    def stat(self, path):
        return answer(lambda: paramiko.SFTPAttributes.from_stat(os.stat(path)))

    def lstat(self, path):
        return answer(lambda: paramiko.SFTPAttributes.from_stat(os.lstat(path)))

    def open(self, path, flags, attr):
        def opened():
            fd = os.open(path, flags, getattr(attr, 'st_mode', None) or 0o666)
            mode = 'rb' if flags & (os.O_WRONLY | os.O_RDWR) == 0 else 'wb' if flags & os.O_WRONLY else 'r+b'
            handle = Handle(flags)
            handle.filename = path
            handle.readfile = handle.writefile = os.fdopen(fd, mode)
            return handle
        return answer(opened)

    def remove(self, path):
        return done(os.remove, path)

    def rename(self, old, new):
        # os.rename would replace what stands there, which SFTP's RENAME must not.
        return paramiko.SFTP_FAILURE if os.path.lexists(new) else done(os.rename, old, new)

    def posix_rename(self, old, new):
        return done(os.rename, old, new)

    def mkdir(self, path, attr):
        return done(os.mkdir, path, getattr(attr, 'st_mode', None) or 0o777)

    def rmdir(self, path):
        return done(os.rmdir, path)

    def chattr(self, path, attr):
        return done(paramiko.SFTPServer.set_file_attr, path, attr)

    def symlink(self, target, path):
        return done(os.symlink, target, path)

    def readlink(self, path):
        return answer(os.readlink, path)


class Logins(paramiko.ServerInterface):
    def __init__(self, keys):
        self.keys = keys

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL if key.asbytes() in self.keys else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username):
        return 'publickey'

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED if kind == 'session' else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


def serve(connection, host_key, keys):
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    transport.set_subsystem_handler('sftp', paramiko.SFTPServer, Files)
    try:
        transport.start_server(server=Logins(keys))
    except (paramiko.SSHException, EOFError):
        transport.close()


def main():
    port, host_key, authorized = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    host_key = paramiko.Ed25519Key.from_private_key_file(host_key)
    with open(authorized, encoding='ascii') as lines:
        keys = {base64.b64decode(line.split()[1]) for line in lines if line.strip()}
    listener = socket.create_server(('127.0.0.1', port))
    print('listening', flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(connection, host_key, keys), daemon=True).start()


if __name__ == '__main__':
    main()
