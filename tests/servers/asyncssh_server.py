#!/usr/bin/python3
"""asyncssh's own SFTP server. Usage: asyncssh_server.py PORT HOST-KEY AUTHORIZED-KEYS

Serves the file system of 127.0.0.1 to who has one of the keys; says "listening" when it does. It runs no commands.
"""
import asyncio
import sys
import warnings

warnings.simplefilter('ignore')  # its import of old ciphers
import asyncssh  # noqa: E402


async def serve(port, host_key, authorized):
    server = await asyncssh.listen('127.0.0.1', port, server_host_keys=[host_key], authorized_client_keys=authorized,
                                   sftp_factory=True, allow_scp=False)
    print('listening', flush=True)
    await server.wait_closed()


if __name__ == '__main__':
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
