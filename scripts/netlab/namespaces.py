"""Network namespaces without names, and the TUN devices in them.

A namespace made here lives as long as a process or an open file refers to it, and a device goes with its file: whatever
way the lab ends, the kernel takes both away. System calls and ioctls only: no `ip`, nothing to install.
"""

import ctypes
import errno
import fcntl
import os
import socket
import struct

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_TIMERSLACK = 29

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
IFF_UP = 0x1
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
SIOCSIFADDR = 0x8916
SIOCSIFNETMASK = 0x891C
SIOCSIFMTU = 0x8922
SIOCGIFINDEX = 0x8933
SIOCSIFTXQLEN = 0x8943

DEVICE = "tun0"
#: Packets that wait in the kernel for the link: ten times what it reads in one turn.
DEVICE_QUEUE = 4000

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def set_namespace(fd, kind):
    """Moves this process into a namespace."""
    _checked(_libc.setns(fd, kind), "setns")


def die_with_parent(signal):
    """The kernel sends `signal` when the thread that started this process ends."""
    _checked(_libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0), "prctl")


def precise_timers():
    """Timers of this process fire within a microsecond instead of fifty."""
    _checked(_libc.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0), "prctl")


def own_user_namespace():
    """Lets a user who is not root make network namespaces, where the system allows it. Returns the namespace's file."""
    if os.geteuid() == 0:
        return None
    user, group = os.geteuid(), os.getegid()
    _checked(_libc.unshare(CLONE_NEWUSER), "unshare user namespace")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    return os.open("/proc/self/ns/user", os.O_RDONLY)


def _interface(name, *rest):
    """A struct ifreq: the name, then what the request takes, up to 40 bytes."""
    return struct.pack("16s", name.encode()) + b"".join(rest).ljust(24, b"\0")


def _address(ipv4):
    return struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(ipv4))


def _up(control, name):
    flags = struct.unpack_from("H", fcntl.ioctl(control, SIOCGIFFLAGS, _interface(name)), 16)[0]
    fcntl.ioctl(control, SIOCSIFFLAGS, _interface(name, struct.pack("H", flags | IFF_UP)))


def _add_ipv6(name, index, ipv6):
    request = socket.inet_pton(socket.AF_INET6, ipv6) + struct.pack("Ii", 64, index)
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, SIOCSIFADDR, request)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        return False
    return True


def new_network(ipv4, ipv6, mtu):
    """Moves this process into a new network that has one TUN device; its neighbours are behind the device.

    Returns the file of the namespace, that of the device, and whether IPv6 is there.
    """
    _checked(_libc.unshare(CLONE_NEWNET), "unshare network namespace")
    namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, _interface(DEVICE, struct.pack("H", IFF_TUN | IFF_NO_PI)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        _up(control, "lo")
        fcntl.ioctl(control, SIOCSIFADDR, _interface(DEVICE, _address(ipv4)))
        fcntl.ioctl(control, SIOCSIFNETMASK, _interface(DEVICE, _address("255.255.255.0")))
        fcntl.ioctl(control, SIOCSIFMTU, _interface(DEVICE, struct.pack("i", mtu)))
        fcntl.ioctl(control, SIOCSIFTXQLEN, _interface(DEVICE, struct.pack("i", DEVICE_QUEUE)))
        _up(control, DEVICE)
        index = struct.unpack_from("i", fcntl.ioctl(control, SIOCGIFINDEX, _interface(DEVICE)), 16)[0]
    return namespace, device, _add_ipv6(DEVICE, index, ipv6)


def kernel_counters():
    """What the kernel of the current network threw away itself: beside the link, and at full sockets of programs."""
    counters = {"device_drops": 0, "socket_drops": 0}
    with open("/proc/thread-self/net/dev", encoding="ascii") as file:
        for line in file:
            name, _, numbers = line.partition(":")
            if name.strip() == DEVICE:
                fields = numbers.split()
                counters["device_drops"] = int(fields[3]) + int(fields[11])
    for path, prefix in (("/proc/thread-self/net/snmp", "Udp:"), ("/proc/thread-self/net/snmp6", "Udp6RcvbufErrors")):
        try:
            with open(path, encoding="ascii") as file:
                rows = [line.split() for line in file if line.startswith(prefix)]
        except FileNotFoundError:
            continue
        if prefix == "Udp:" and len(rows) == 2:
            counters["socket_drops"] += int(dict(zip(*rows))["RcvbufErrors"])
        elif prefix != "Udp:" and rows:
            counters["socket_drops"] += int(rows[0][1])
    return counters
