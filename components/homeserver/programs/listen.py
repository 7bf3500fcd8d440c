"""Run Synapse behind a unix socket on which connections wait while Synapse restarts, instead of being refused.

Usage: <Synapse's python> listen.py SOCKET synapse.app.homeserver [options]...

The socket is opened before Synapse is loaded, and systemd keeps it open over a restart (FileDescriptorStoreMax=1 in the unit):
what connects meanwhile waits in its queue. A stop closes it. Where nobody keeps it (a container), it ends with the process.
Synapse's own way (`path:` alone) cannot do that: it takes the socket's name away when it ends, and in a container a lock
file of a killed process, which had the same number, would keep it from ever starting again.
"""

import contextlib
import os
import runpy
import socket
import stat
import sys

NAME = "synapse"
FIRST_DESCRIPTOR = 3
# Connections that may wait; the kernel cuts it down to net.core.somaxconn.
QUEUE = 4096
# The folder says who may come here.
MODE = 0o666


def kept(path):
    """The socket that systemd kept over the restart, or nothing."""
    names = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    ours = os.environ.pop("LISTEN_PID", "") == str(os.getpid())
    if int(os.environ.pop("LISTEN_FDS", "0")) < 1 or not ours or NAME not in names:
        return None
    listener = socket.socket(fileno=FIRST_DESCRIPTOR + names.index(NAME))
    listener.set_inheritable(False)
    if listener.getsockname() == path and is_socket(path):
        return listener
    # Its name was removed, so nobody can reach it any more.
    tell_systemd("FDSTOREREMOVE=1")
    listener.close()
    return None


def is_socket(path):
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def opened(path):
    if is_socket(path):
        os.unlink(path)  # Left by a process that has ended.
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, MODE)
    listener.listen(QUEUE)
    return listener


def tell_systemd(text, *descriptors):
    """Whether there was somebody to tell."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        socket.send_fds(manager, [f"{text}\nFDNAME={NAME}".encode()], descriptors)
    return True


def turn_away(listener):
    """Synapse did not start: those who wait hear of it now, not when their patience ends."""
    listener.setblocking(False)
    with contextlib.suppress(OSError):
        while True:
            listener.accept()[0].close()


def give_to_twisted(listener, path, lasting):
    """Makes Synapse's `path:` listener use this socket. What Synapse then listens on, by way of a mapping: `port`."""
    from twisted.internet import reactor, tcp, unix  # noqa: PLC0415  Synapse has chosen the reactor by now.

    class Port(unix.Port):
        # It is shared with systemd: closed here, never shut down, and its name stays.
        _shouldShutdown = False

        def connectionLost(self, reason):
            tcp.Port.connectionLost(self, reason)

    served = {}
    listener.setblocking(False)
    listen_elsewhere = reactor.listenUNIX

    def listen(address, factory, *args, **options):
        if address != path:
            return listen_elsewhere(address, factory, *args, **options)
        port = served["port"] = Port._fromListeningDescriptor(reactor, listener.fileno(), factory)
        port.backlog, port.mode = QUEUE, MODE
        port.startListening()
        # Asked to end, it takes nobody in whom it would have to cut off: they wait for the next one, or try again.
        reactor.addSystemEventTrigger("before", "shutdown", port.stopReading if lasting else port.stopListening)
        return port

    reactor.listenUNIX = listen
    return served


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: listen.py SOCKET synapse.app.homeserver [options]...")
    path, program = sys.argv.pop(1), sys.argv.pop(1)
    listener = kept(path) or opened(path)
    lasting = tell_systemd("FDSTORE=1", listener.fileno())
    served = {}
    leave = os._exit

    def leave_with(status):
        # Synapse's own way to end when its start fails late.
        if status != 0 and "port" not in served:
            turn_away(listener)
        leave(status)

    os._exit = leave_with
    try:
        import synapse  # noqa: F401, PLC0415  It may choose Twisted's reactor, so it comes first.

        served = give_to_twisted(listener, path, lasting)
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    except BaseException:
        if "port" not in served:
            turn_away(listener)
        raise


if __name__ == "__main__":
    main()
